"""Satisfaction surveys."""

from helpdesk_surveys import models as models
