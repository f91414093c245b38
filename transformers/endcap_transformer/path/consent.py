"""Consent: what the customer of one request allows, with the setting where the request does not say."""

from dataclasses import dataclass

from endcap.contracts.request import Instance
from endcap.core.settings import ConsentSettings


@dataclass(frozen=True, slots=True)
class EffectiveConsent:
    """What holds for one request.

    Attributes:
        personalisation: whether features of the user and the session may be read.
        analytics: whether the impression may carry their ids.
    """

    personalisation: bool
    analytics: bool


def consent_of(instance: Instance, defaults: ConsentSettings) -> EffectiveConsent:
    """The request's own word, else the setting."""
    stated = instance.consent
    return EffectiveConsent(
        defaults.personalisation if stated.personalisation is None else stated.personalisation,
        defaults.analytics if stated.analytics is None else stated.analytics,
    )
