"""Secrets: keys and encryption, people's passwords, tokens.

What must be read back is encrypted (`KeyRing`), people's passwords are argon2id (`PasswordPool`),
tokens are kept as SHA-256. A Basic credential that was verified is remembered for a while
(`VerifiedMemory`), and failures are limited (`FailureLimiter`).
"""

from demarc.platform.secrets.failures import FailureLimiter, Limit
from demarc.platform.secrets.keyfile import KeyFileError
from demarc.platform.secrets.keys import KeyRing, Undecipherable, row_binding
from demarc.platform.secrets.passwords import Overloaded, PasswordPool, Verdict
from demarc.platform.secrets.tokens import digest, generate_password, hint, is_token, new_token
from demarc.platform.secrets.verified import VerifiedMemory

__all__ = [
    "FailureLimiter",
    "KeyFileError",
    "KeyRing",
    "Limit",
    "Overloaded",
    "PasswordPool",
    "Undecipherable",
    "Verdict",
    "VerifiedMemory",
    "digest",
    "generate_password",
    "hint",
    "is_token",
    "new_token",
    "row_binding",
]
