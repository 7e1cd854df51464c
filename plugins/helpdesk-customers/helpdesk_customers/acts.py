"""What the record calls what is done with customers."""

from helpdesk.api import Act, hookimpl
from helpdesk.api import lazy_gettext as _l


@hookimpl
def register_acts() -> list[Act]:
    """Fields, segments and orders; those of imports and merges stand here too."""
    return [
        Act("customers.field_added", _l("Field of customers added")),
        Act("customers.field_changed", _l("Field of customers changed")),
        Act("customers.field_switched", _l("Field of customers switched on or off")),
        Act("customers.segment_added", _l("Segment added")),
        Act("customers.segment_changed", _l("Segment changed")),
        Act("customers.segment_removed", _l("Segment removed")),
        Act("customers.exported", _l("Customers exported")),
        Act("customers.order_changed", _l("State of an order changed")),
        Act("customers.order_removed", _l("Order removed")),
        Act("customers.duplicate_dismissed", _l("Two customers said to be different")),
        Act("customers.duplicate_restored", _l("Two customers put to decision again")),
        Act("customers.imported", _l("File of customers or products taken in")),
        Act("customers.import_cancelled", _l("Import cancelled")),
    ]
