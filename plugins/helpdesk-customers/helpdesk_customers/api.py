"""What other plugins may import. The facts and the slot of the timeline stand in ``offering``."""

from helpdesk_customers.conditions import read as read_conditions
from helpdesk_customers.conditions import sentence as condition_sentence
from helpdesk_customers.consents import consenting, has_consent, note_consent, purposes
from helpdesk_customers.criteria import criterion as conditions_criterion
from helpdesk_customers.imports.addresses import read_address
from helpdesk_customers.imports.kinds import BadRow, Batch, ImportColumn, ImportKind, Item
from helpdesk_customers.models import COUNTED, Consent, Order, OrderLine, Ownership, Record, Segment, Worth
from helpdesk_customers.money import plain_amount, read_amount, read_currency, show_amount, sku_key
from helpdesk_customers.orders import LineData, OrderData, orders_of, save_order
from helpdesk_customers.ownership import own, owned_skus, owned_skus_of
from helpdesk_customers.records import add_tags, record_of
from helpdesk_customers.segments import contains as in_segment
from helpdesk_customers.segments import criterion as segment_criterion
from helpdesk_customers.segments import listed as segments
from helpdesk_customers.segments import segments_of

__all__ = [
    "COUNTED",
    "BadRow",
    "Batch",
    "Consent",
    "ImportColumn",
    "ImportKind",
    "Item",
    "LineData",
    "Order",
    "OrderData",
    "OrderLine",
    "Ownership",
    "Record",
    "Segment",
    "Worth",
    "add_tags",
    "condition_sentence",
    "conditions_criterion",
    "consenting",
    "has_consent",
    "in_segment",
    "note_consent",
    "orders_of",
    "own",
    "owned_skus",
    "owned_skus_of",
    "plain_amount",
    "purposes",
    "read_address",
    "read_amount",
    "read_conditions",
    "read_currency",
    "record_of",
    "save_order",
    "segment_criterion",
    "segments",
    "segments_of",
    "show_amount",
    "sku_key",
]
