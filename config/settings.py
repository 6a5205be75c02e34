"""All settings, read from the environment; every default is safe for production.

`make demo` and `manage.py` fill in the addresses of the embedded servers (config/embedded/).
"""

import logging
from pathlib import Path
from typing import Any, Literal

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env("DATA_DIR", default=str(BASE_DIR / ".data")))


def required(name: str, hint: str) -> str:
    """The variable's value; stops the start with a sentence that says what to set."""
    value = env(name, default="")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. {hint}")
    return str(value)


DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = required("SECRET_KEY", "Set it to 50 or more random characters and keep it out of the repository.")
# Old keys still verify what they signed: unsubscribe links live for ever.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
# Where customers reach us; links in messages start with it.
SITE_URL = env("SITE_URL", default=f"http://127.0.0.1:{env('PORT', default='8000')}").rstrip("/")
HTTPS = SITE_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [SITE_URL]
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
# Who may read /metrics: whoever sends this as a bearer token. Empty: only this machine, and no proxy on it.
METRICS_TOKEN = env("METRICS_TOKEN", default="")
# Whether a database that finds itself on another server than before sends nothing until `manage.py release`.
# False where replicas are promoted by themselves: then hold by hand after a restore.
HOLD_WHEN_MOVED = env.bool("HOLD_WHEN_MOVED", default=True)
# Whether this server shows made-up shops to visitors: then each has a page with the widget (/demo-shop/<store>).
DEMO = env.bool("DEMO", default=False)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "anymail",
    "stores",
    "customers",
    "outreach",
    "rewards",
    "surveys",
    "referrals",
    "checkout",
    "insights",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "stores.middleware.Measured",
    "stores.middleware.RequestId",
    "stores.middleware.Compressed",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "stores.middleware.Language",
    "stores.middleware.Theme",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "checkout.access.KeptToCounter",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "stores.context.languages",
                "stores.context.theme",
                "insights.context.navigation",
            ],
            "builtins": ["stores.templatetags.goodword"],
        },
    }
]
# Forms render through our own templates (templates/django/forms/).
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
INSTALLED_APPS.append("django.forms")

# -- Postgres: three roles (config/sql/roles.sql). Web and worker log in as one that owns nothing. --


def database(name: str, hint: str) -> dict[str, Any]:
    """Connection settings of one role."""
    required(name, hint)
    settings: dict[str, Any] = env.db_url(name)
    settings.update(CONN_MAX_AGE=600, CONN_HEALTH_CHECKS=True, DISABLE_SERVER_SIDE_CURSORS=True)
    return settings


DATABASES = {
    "default": {
        **database("DATABASE_URL", "Name the database and the application's role, see README."),
        # Row-level security reads a transaction-local setting: every request is one transaction.
        "ATOMIC_REQUESTS": True,
    },
}
if env("DATABASE_OWNER_URL", default=""):
    DATABASES["owner"] = database("DATABASE_OWNER_URL", "It is the role that runs migrations.")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- Redis: nudges for the workers, counters of tries. Never the only copy of anything. --

REDIS_URL = required("REDIS_URL", "Celery's nudges travel there, for example redis://127.0.0.1:6379/0.")
_redis_timeouts = {"socket_timeout": 5, "socket_connect_timeout": 2, "socket_keepalive": True}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": env("CACHE_URL", default=REDIS_URL),
        "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5},  # somebody waits at the till
        "KEY_PREFIX": "gw",
    }
}
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False  # a task is only "look at the table": losing one costs a few seconds
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 300
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, **_redis_timeouts}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False  # else beat, which sets Django up later, logs into itself and stays mute
CELERY_TIMEZONE = "UTC"

# -- Mail and text --

env_email = env.email_url("EMAIL_URL", default="consolemail://")
EMAIL_BACKEND = env("EMAIL_BACKEND", default=env_email["EMAIL_BACKEND"])
EMAIL_HOST = env_email.get("EMAIL_HOST") or "localhost"
EMAIL_PORT = env_email.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = env_email.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = env_email.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = env_email.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = env_email.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=10)
# For so long a message belongs to the worker that took it. One that asks the provider after a time-out needs both.
LEASE_SECONDS = env.int("LEASE_SECONDS", default=60)
if LEASE_SECONDS <= 2 * EMAIL_TIMEOUT:
    raise ImproperlyConfigured("LEASE_SECONDS must be more than twice EMAIL_TIMEOUT: 60 and 10 are well tried.")
# Messages of one store on one channel in a minute, at most; 0: as many as there are.
SENDS_PER_MINUTE = env.int("SENDS_PER_MINUTE", default=0)
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="Goodword <goodword@localhost>")
ANYMAIL = {"REQUESTS_TIMEOUT": EMAIL_TIMEOUT}  # anymail's own 30 s are longer than half a lease
ANYMAIL |= {key: env(f"ANYMAIL_{key}") for key in env.list("ANYMAIL_SETTINGS", default=[])}
# "outbox": kept on the dashboard's outbox page; "email": through EMAIL_BACKEND.
EMAIL_CHANNEL = env("EMAIL_CHANNEL", default="email" if env("EMAIL_URL", default="") else "outbox")
# "outbox", or "http": to the gateway of SMS_PROVIDER, or in one POST to SMS_URL (docs/operate.md).
SMS_CHANNEL = env(
    "SMS_CHANNEL", default="http" if env("SMS_URL", default="") or env("SMS_PROVIDER", default="") else "outbox"
)
SMS_URL = env("SMS_URL", default="")
SMS_TOKEN = env("SMS_TOKEN", default="")
SMS_SENDER = env("SMS_SENDER", default="Goodword")
# Another gateway than "one POST to SMS_URL": its name, and the fields of its account one by one.
SMS_PROVIDER = env("SMS_PROVIDER", default="generic")
SMS_FIELDS = {name.lower(): env(f"SMS_{name}") for name in env.list("SMS_SETTINGS", default=[])}
# The last part of the addresses under /in/mail/ and /in/sms/ where the server's own providers report.
MAIL_WEBHOOK_TOKEN = env("MAIL_WEBHOOK_TOKEN", default="")
SMS_WEBHOOK_TOKEN = env("SMS_WEBHOOK_TOKEN", default="")
for _name in ("MAIL_WEBHOOK_TOKEN", "SMS_WEBHOOK_TOKEN", "METRICS_TOKEN"):
    if 0 < len(globals()[_name]) < 32:
        raise ImproperlyConfigured(f"{_name} is too short to be a secret. Take 32 or more random characters.")
# Whether stores may send by accounts of their own; off, nothing leaves but by the server's own.
OWN_ACCOUNTS = env.bool("OWN_ACCOUNTS", default=True)
# Whether a store's mail server may stand in a private network. On a server with several shops: no.
ALLOW_PRIVATE_HOSTS = env.bool("ALLOW_PRIVATE_HOSTS", default=False)
# The word before ._domainkey in the DNS record of the server's own mail, for the check of it.
DKIM_SELECTOR = env("DKIM_SELECTOR", default="")
# Name servers to ask for SPF, DKIM and DMARC; empty: those of the machine.
NAME_SERVERS = env.list("NAME_SERVERS", default=[])

# -- Accounts --

AUTH_USER_MODEL = "stores.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "stores.passwords.LongEnough", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "site:mine"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = env("ACCOUNT_EMAIL_VERIFICATION", default="optional")
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SIGNUP_REDIRECT_URL = "setup:new_store"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_ADAPTER = "stores.accounts.Adapter"
ACCOUNT_RATE_LIMITS = {"login": None}  # the adapter counts passwords; for the rest allauth's own limits stand
# Whether every owner of every store needs an app's code or a key besides the password; a store may ask for itself.
OWNERS_NEED_SECOND_FACTOR = env.bool("OWNERS_NEED_SECOND_FACTOR", default=False)
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ADAPTER = "stores.accounts.SecondFactors"
MFA_FORMS = {"add_webauthn": "stores.key_forms.AddKey", "edit_webauthn": "stores.key_forms.EditKey"}

# -- API --

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["stores.api_auth.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["stores.api_auth.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["stores.api_parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "stores.api_errors.exception_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Goodword",
    "DESCRIPTION": "Orders in, good words out: the API of a shop's own referral program.",
    "VERSION": "1.0.0",
    "DEFAULT_GENERATOR_CLASS": "checkout.api.schema.Generator",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_PUBLIC": True,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "ENUM_NAME_OVERRIDES": {"ReferralStatusEnum": "referrals.models.Referral.Status"},
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "checkout.api.schema.explain_refusals",
    ],
}
API_CALLS_PER_MINUTE = env.int("API_CALLS_PER_MINUTE", default=6000)
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024  # a list of 1,000 orders with lines is some 0.6 MB

# -- Languages --

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fa", _("Persian")), ("fil", _("Filipino"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "lang"
LANGUAGE_COOKIE_SAMESITE: Literal["Lax", "Strict", "None"] = "Lax"
LANGUAGE_COOKIE_SECURE = HTTPS
TIME_ZONE = "UTC"
USE_TZ = True

# -- Static files, security headers --

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
# Hashed names and compressed copies where collectstatic has run; straight from the finders otherwise.
_COLLECTED = (STATIC_ROOT / "staticfiles.json").exists()
WHITENOISE_USE_FINDERS = not _COLLECTED
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if _COLLECTED or env.bool("COLLECTING", default=False)
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^(?:healthz|readyz|metrics)$"]  # asked for inside the house, where there is no TLS
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# -- Logs: one JSON line an event, with request, store and task ids; no personal data --

logging.captureWarnings(True)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "stores.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": env("LOG_LEVEL", default="WARNING")},
    "loggers": {"goodword": {"level": env("LOG_LEVEL", default="INFO")}},
}
