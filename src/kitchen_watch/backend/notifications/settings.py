"""What the operator may set for e-mail and quiet hours."""

from __future__ import annotations

import os
from datetime import time
from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from kitchen_watch.config import Settings

VARIABLE = "KITCHEN_WATCH_SMTP_PASSWORD"


class MailSettings(Settings):
    """E-mail; without a host none is sent."""

    host: str = Field(default="", description="SMTP server, such as smtp.example.cn")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(default=587, description="587 STARTTLS, 465 TLS, 25")
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        description="none only towards a server on this machine or in a closed network",
    )
    username: str = Field(default="", description="login at the SMTP server; empty: without login")
    password: SecretStr | None = Field(default=None, description=f"default: {VARIABLE} of the environment")
    sender: str = Field(default="", description="address in From, such as kitchen@example.cn")
    timeout_s: Annotated[float, Field(gt=0, le=60)] = Field(
        default=15.0, description="how long the server may take for an answer"
    )

    @model_validator(mode="after")
    def _complete(self) -> MailSettings:
        if self.host and "@" not in self.sender:
            raise ValueError("a mail server without a sender: give an address that mails come from")
        if self.username and self.security == "none":
            raise ValueError("a password must not travel in the clear: set security to starttls or tls")
        return self

    @property
    def secret(self) -> str:
        """The password in force."""
        if self.password is not None:
            return self.password.get_secret_value()
        return os.environ.get(VARIABLE, "")


class NotificationSettings(Settings):
    """Notifications."""

    quiet_from: time = Field(
        default=time(22), description="from when on e-mails and chats wait, except tier 1"
    )
    quiet_to: time = Field(default=time(7), description="until when; a person may choose other hours")
    mail: MailSettings = MailSettings()
