"""Mail providers a store can choose, each one row: what the form asks, what the backend is told, how it reports.

Backends and reading of webhooks are anymail's. Sources: anymail 15.2 (settings, webhook signatures), the
providers' own pages for idempotency (resend.com/docs/dashboard/emails/idempotency-keys: 24 hours;
developers.brevo.com/docs/heterogenous-versions-batch-emails: 30 minutes, a UUID).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.util import find_spec
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.core.mail import EmailMultiAlternatives
from django.utils.translation import gettext_lazy as _

from outreach.channels import Letter
from outreach.channels.sms.shapes import GatewayField, Words

Values = Mapping[str, str]


@dataclass(frozen=True)
class MailField(GatewayField):
    """One thing the form asks for.

    `is_destination`: where secrets are sent; a new one wants them typed again. `proves_only`: for reports,
    not for sending.
    """

    choices: tuple[tuple[str, Words], ...] = ()
    is_destination: bool = False
    proves_only: bool = False


@dataclass(frozen=True)
class MailProvider:
    """One provider.

    `keeps` is where it keeps our reference: "metadata", "tag" or nowhere. `proof` names the field that
    proves its reports; without one the secret address of the webhook is what proves them. `repeats`
    is how long a second hand-over with our key is no second letter. `spf` is what a domain's SPF
    record includes, `selectors` where its DKIM key stands, as far as they are alike for everybody.
    """

    slug: str
    label: Words
    fields: tuple[GatewayField, ...]
    backend: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    keeps: str = "metadata"
    reports_back: bool = True
    proof: str = ""
    repeats: timedelta | None = None
    spf: str = ""
    selectors: tuple[str, ...] = ()
    needs: str = ""  # a package that is not among our own

    @property
    def is_offered(self) -> bool:
        """Whether what it needs is installed."""
        return not self.needs or find_spec(self.needs) is not None

    def settings(self, values: Values) -> dict[str, Any]:
        """What the backend is made with. Each name is given even when it is empty: anymail would fill
        in the server's own setting otherwise, and a store must not send on another's account."""
        if self.slug == "amazon_ses":
            return _amazon(values)
        if self is SMTP:
            return _smtp(values)
        sent = [one.name for one in self.fields if not getattr(one, "proves_only", False)]
        return {**self.options, **{name: values.get(name) or None for name in sent}}


def _key() -> MailField:
    return MailField("api_key", _("API key"), is_secret=True)


def _proof(name: str, label: Words) -> MailField:
    hint = _("Without it reports cannot be checked, and are not accepted.")
    return MailField(name, label, is_secret=True, required=False, help=hint, proves_only=True)


def _region(*choices: tuple[str, Words]) -> MailField:
    return MailField("api_url", _("Region"), choices=choices, is_destination=True)


SECURITY = (("starttls", "STARTTLS"), ("ssl", "TLS"), ("none", _("none")))

SMTP = MailProvider(
    "smtp",
    _("Your mail server (SMTP)"),
    (
        MailField("host", _("Mail server"), is_destination=True, help=_("For example smtp.example.com.")),
        MailField("port", _("Port"), help=_("Usually 587, or 465 with TLS from the start.")),
        MailField("security", _("Encryption"), choices=SECURITY, is_destination=True),
        MailField("username", _("User name"), required=False),
        MailField("password", _("Password"), is_secret=True, required=False),
    ),
    "outreach.channels.outside.StoreSmtp",
    keeps="",
    reports_back=False,
)

# In the order the form shows them.
MAIL_PROVIDERS: dict[str, MailProvider] = {
    provider.slug: provider
    for provider in (
        SMTP,
        MailProvider(
            "amazon_ses",
            "Amazon SES",
            (
                MailField("access_key_id", _("Access key ID")),
                MailField("secret_access_key", _("Secret access key"), is_secret=True),
                MailField("region", _("Region"), help=_("For example eu-west-1.")),
                MailField("configuration_set_name", _("Configuration set"), required=False),
            ),
            "anymail.backends.amazon_ses.EmailBackend",
            spf="amazonses.com",
            needs="boto3",
        ),
        MailProvider(
            "brevo",
            "Brevo",
            (_key(),),
            "anymail.backends.brevo.EmailBackend",
            options={"api_url": "https://api.brevo.com/v3/"},
            repeats=timedelta(minutes=30),
            selectors=("brevo1", "brevo2", "mail"),
        ),
        MailProvider(
            "mailersend",
            "MailerSend",
            (
                MailField("api_token", _("API token"), is_secret=True),
                _proof("signing_secret", _("Signing secret of the webhook")),
            ),
            "anymail.backends.mailersend.EmailBackend",
            options={"api_url": "https://api.mailersend.com/v1/", "batch_send_mode": None},
            keeps="tag",
            proof="signing_secret",
            selectors=("mlsend", "mlsend2"),
        ),
        MailProvider(
            "mailgun",
            "Mailgun",
            (
                _key(),
                MailField("sender_domain", _("Sending domain"), required=False, help=_("For example mg.example.com.")),
                _region(("https://api.mailgun.net/v3", "US"), ("https://api.eu.mailgun.net/v3", "EU")),
                _proof("webhook_signing_key", _("HTTP webhook signing key")),
            ),
            "anymail.backends.mailgun.EmailBackend",
            proof="webhook_signing_key",
            spf="mailgun.org",
            selectors=("mailo", "k1", "smtp", "pic", "mx"),
        ),
        MailProvider(
            "mailjet",
            "Mailjet",
            (_key(), MailField("secret_key", _("Secret key"), is_secret=True)),
            "anymail.backends.mailjet.EmailBackend",
            options={"api_url": "https://api.mailjet.com/v3.1/"},
            spf="spf.mailjet.com",
            selectors=("mailjet",),
        ),
        MailProvider(
            "mailtrap",
            "Mailtrap",
            (
                MailField("api_token", _("API token"), is_secret=True),
                _proof("tracking_secret", _("Signature key of the webhook")),
            ),
            "anymail.backends.mailtrap.EmailBackend",
            options={"api_url": "https://send.api.mailtrap.io/api/", "sandbox_id": None},
            proof="tracking_secret",
            selectors=("rwmt1", "rwmt2"),
        ),
        MailProvider(
            "mandrill",
            "Mandrill",
            (_key(), _proof("webhook_key", _("Webhook key"))),
            "anymail.backends.mandrill.EmailBackend",
            options={"api_url": "https://mandrillapp.com/api/1.0"},
            proof="webhook_key",
            spf="spf.mandrillapp.com",
            selectors=("mandrill", "mte1", "mte2"),
        ),
        MailProvider(
            "postal",
            "Postal",
            (
                MailField("api_url", _("Address of your Postal"), is_destination=True),
                _key(),
                _proof("webhook_key", _("Public key of the webhooks")),
            ),
            "anymail.backends.postal.EmailBackend",
            keeps="tag",
            proof="webhook_key",
        ),
        MailProvider(
            "postmark",
            "Postmark",
            (
                MailField("server_token", _("Server API token"), is_secret=True),
                MailField("message_stream", _("Message stream"), required=False, help=_("Empty: outbound.")),
            ),
            "anymail.backends.postmark.EmailBackend",
            options={"api_url": "https://api.postmarkapp.com/", "use_bulk_api": False, "generate_message_id": False},
            selectors=("pm",),
        ),
        MailProvider(
            "resend",
            "Resend",
            (_key(), _proof("signing_secret", _("Signing secret of the webhook"))),
            "anymail.backends.resend.EmailBackend",
            options={"api_url": "https://api.resend.com/"},
            proof="signing_secret",
            repeats=timedelta(hours=24),
            selectors=("resend",),
        ),
        MailProvider(
            "scaleway",
            "Scaleway",
            (
                MailField("secret_key", _("Secret key"), is_secret=True),
                MailField("project_id", _("Project ID")),
                MailField("region", _("Region"), choices=(("fr-par", "fr-par"), ("nl-ams", "nl-ams"))),
            ),
            "anymail.backends.scaleway.EmailBackend",
            options={"api_url": "https://api.scaleway.com/transactional-email/v1alpha1/regions/{region}/"},
            reports_back=False,
            spf="_spf.tem.scaleway.com",
        ),
        MailProvider(
            "sendgrid",
            "SendGrid",
            (
                _key(),
                _region(("https://api.sendgrid.com/v3/", _("worldwide")), ("https://api.eu.sendgrid.com/v3/", "EU")),
                _proof("tracking_webhook_verification_key", _("Verification key of the event webhook")),
            ),
            "anymail.backends.sendgrid.EmailBackend",
            options={"username": None, "password": None, "generate_message_id": True, "merge_field_format": None},
            proof="tracking_webhook_verification_key",
            spf="sendgrid.net",
            selectors=("s1", "s2"),
        ),
        MailProvider(
            "sparkpost",
            "SparkPost",
            (
                _key(),
                _region(
                    ("https://api.sparkpost.com/api/v1/", "US"),
                    ("https://api.eu.sparkpost.com/api/v1/", "EU"),
                ),
                MailField("subaccount", _("Subaccount"), required=False),
            ),
            "anymail.backends.sparkpost.EmailBackend",
        ),
        MailProvider(
            "unisender_go",
            "Unisender Go",
            (
                _key(),
                _region(
                    ("https://go1.unisender.ru/ru/transactional/api/v1/", "go1"),
                    ("https://go2.unisender.ru/ru/transactional/api/v1/", "go2"),
                ),
            ),
            "anymail.backends.unisender_go.EmailBackend",
            options={"generate_message_id": True},
            proof="api_key",
            selectors=("us",),
        ),
    )
}

SELECTOR = MailField(
    "dkim_selector",
    _("DKIM selector"),
    required=False,
    help=_("The word before ._domainkey in the record your provider had you add; leave it empty if you do not know."),
)


def _smtp(values: Values) -> dict[str, Any]:
    security = values.get("security", "starttls")
    return {
        "host": values.get("host", "").strip(),
        "port": int(values.get("port") or 587),
        "username": values.get("username", ""),
        "password": values.get("password", ""),
        "use_tls": security == "starttls",
        "use_ssl": security == "ssl",
    }


def _amazon(values: Values) -> dict[str, Any]:
    """boto3's session with this account's keys alone, never with what the server's environment holds."""
    return {
        "session_params": {
            "aws_access_key_id": values.get("access_key_id", ""),
            "aws_secret_access_key": values.get("secret_access_key", ""),
            "region_name": values.get("region", ""),
        },
        "client_params": {"config": {"connect_timeout": 5, "read_timeout": 10, "retries": {"max_attempts": 0}}},
        "configuration_set_name": values.get("configuration_set_name") or None,
        "message_tag_name": None,
    }


def marked(provider: str, reference: str) -> Callable[[EmailMultiAlternatives, Any, Letter], None]:
    """How a letter is marked for this provider: with our reference, and a key that makes a repeat harmless."""
    keeps = MAIL_PROVIDERS[provider].keeps if provider in MAIL_PROVIDERS else "metadata"

    def prepare(mail: EmailMultiAlternatives, connection: Any, letter: Letter) -> None:
        if keeps == "metadata":
            mail.metadata = {"goodword": reference}  # type: ignore[attr-defined]
        elif keeps == "tag":
            mail.tags = [f"goodword-{reference}"]  # type: ignore[attr-defined]
        if provider == "resend":
            connection.session.headers["Idempotency-Key"] = letter.reference
        elif provider == "brevo":
            mail.extra_headers["idempotencyKey"] = str(uuid5(NAMESPACE_URL, f"goodword:{letter.reference}"))

    return prepare
