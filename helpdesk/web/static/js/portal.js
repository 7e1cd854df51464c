// Customers' pages work without this; it only makes the menus close by themselves.
import { watchMenus } from "./menus.js";
import { watchToasts } from "./toasts.js";

watchMenus();
watchToasts();
