"""What other plugins may import: what fits a customer now. The hooks and facts stand in ``offering``."""

from helpdesk_upsell.recommending import Advice, Recommendation, advice, recommendations

__all__ = ["Advice", "Recommendation", "advice", "recommendations"]
