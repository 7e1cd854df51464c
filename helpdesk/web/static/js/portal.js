// Customers' pages work without this; it makes the menus close by themselves, and knows a form that is gone back to.
import { watchMenus } from "./menus.js";
import { keepKeys } from "./once.js";
import { watchToasts } from "./toasts.js";

watchMenus();
watchToasts();
keepKeys();
