"""What is wrong with a server's certificate, in a sentence, and what helps."""

import ssl

from helpdesk.api import gettext as _
from helpdesk_email.outgoing import one_line

# OpenSSL's numbers for what is wrong with a certificate (openssl-verification-options(1)).
_NOT_YET, _EXPIRED, _SELF_SIGNED, _OWN_AUTHORITY, _NO_ISSUER, _FIRST = 9, 10, 18, 19, 20, 21
_OTHER_NAME, _OTHER_ADDRESS = 62, 64


def sentence(error: ssl.SSLCertVerificationError, host: str) -> str:
    """Why the certificate of ``host`` is not believed."""
    code = getattr(error, "verify_code", 0)
    if code in (_OTHER_NAME, _OTHER_ADDRESS):
        return _("The certificate of %(host)s is for another name.", host=host)
    if code == _EXPIRED:
        return _("The certificate of %(host)s has expired.", host=host)
    if code == _NOT_YET:
        return _("The certificate of %(host)s is not valid yet.", host=host)
    if code == _SELF_SIGNED:
        return _("The certificate of %(host)s is signed by the server itself, which proves nothing.", host=host)
    if code in (_OWN_AUTHORITY, _NO_ISSUER, _FIRST):
        return _("The certificate of %(host)s is signed by nobody whom this machine trusts.", host=host)
    return _(
        "The certificate of %(host)s is not valid (%(reason)s).",
        host=host,
        reason=one_line(str(getattr(error, "verify_message", "") or error))[:200],
    )


def advice(error: ssl.SSLCertVerificationError) -> list[str]:
    """What helps against that, in sentences."""
    code = getattr(error, "verify_code", 0)
    if code in (_OTHER_NAME, _OTHER_ADDRESS):
        return [_("Use the name of the server that its certificate is for; your provider writes it.")]
    if code == _EXPIRED:
        return [_("Whoever runs the server has to renew it."), _("Look whether the clock of this machine is right.")]
    if code == _NOT_YET:
        return [_("Look whether the clock of this machine is right.")]
    return [
        _("Give your server a certificate of a public authority, or let this machine trust yours."),
        _("On the same machine or network, no encryption works as well."),
    ]
