"""E-mail by SMTP, and DingTalk's group robots: two adapters of the courier's seam.

WeCom or an SMS gateway are further classes with the same one method.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import smtplib
import ssl
from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import quote_plus, urlsplit

from starlette.concurrency import run_in_threadpool

from kitchen_watch.backend.notifications.settings import MailSettings
from kitchen_watch.backend.webhooks.couriers import Caller, Message
from kitchen_watch.backend.webhooks.retry import Outcome
from kitchen_watch.errors import BackendUnreachable, InvalidRequest

TOO_FAST = 130101
"""DingTalk takes 20 messages a minute from one robot."""


class MailCourier:
    """Hands a mail to the operator's SMTP server, in a worker thread."""

    def __init__(self, settings: MailSettings, *, public_url: str) -> None:
        self._settings = settings
        self._host = urlsplit(public_url).hostname or "localhost"

    async def send(self, message: Message) -> Outcome:
        """Accepted by the server is delivered; a permanent refusal (5xx) of the addressee is final."""
        return await run_in_threadpool(self._send, message)

    def _send(self, message: Message) -> Outcome:
        try:
            self._hand_over(self._mail(message))
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            return _refused(code, text)
        except smtplib.SMTPResponseException as error:
            return _refused(error.smtp_code, error.smtp_error)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            return Outcome(delivered=False, problem=f"{type(error).__name__}: {error}")
        return Outcome(delivered=True)

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = self._settings.sender
        mail["To"] = str(message.payload["to"])
        mail["Subject"] = " ".join(str(message.payload["subject"]).split())
        mail["Date"] = format_datetime(message.at)
        mail["Message-ID"] = f"<{message.message_id}@{self._host}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(str(message.payload["text"]))
        return mail

    def _hand_over(self, mail: EmailMessage) -> None:
        settings = self._settings
        if settings.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.host, settings.port, timeout=settings.timeout_s, context=ssl.create_default_context()
            )
        else:
            server = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_s)
        with server:
            if settings.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if settings.username:
                server.login(settings.username, settings.secret)
            server.send_message(mail)


class DingTalkCourier:
    """Posts to a group robot; its signature is that of DingTalk's custom robots (timestamp and secret)."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def send(self, message: Message) -> Outcome:
        """Delivered where ``errcode`` is 0; HTTP 200 alone says nothing."""
        stamp = str(int(message.at.timestamp() * 1000))
        joint = "&" if urlsplit(message.url).query else "?"
        url = (
            f"{message.url}{joint}timestamp={stamp}&sign={quote_plus(robot_signature(message.secret, stamp))}"
        )
        body = {
            "msgtype": "markdown",
            "markdown": {
                "title": message.payload["subject"],
                "text": f"**{message.payload['subject']}**\n\n{message.payload['text']}",
            },
        }
        try:
            answer = await self._caller.post(url, json.dumps(body, ensure_ascii=False).encode(), {})
        except (InvalidRequest, BackendUnreachable) as error:
            return Outcome(delivered=False, problem=str(error))
        try:
            said = json.loads(answer.body)
            code, text = int(said["errcode"]), str(said.get("errmsg", ""))
        except (ValueError, TypeError, KeyError):
            return Outcome(delivered=False, status=answer.status, problem=f"HTTP {answer.status}")
        return Outcome(
            delivered=code == 0,
            status=answer.status,
            problem="" if code == 0 else f"errcode {code}: {text}",
            retry_after=timedelta(minutes=1) if code == TOO_FAST else None,
        )


def robot_signature(secret: str, stamp: str) -> str:
    """Base64 of HMAC-SHA256 over ``timestamp\\nsecret`` with the secret as key, before URL encoding."""
    digest = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def _refused(code: int, text: bytes | str) -> Outcome:
    words = text.decode(errors="replace") if isinstance(text, bytes) else text
    return Outcome(delivered=False, status=code, problem=f"SMTP {code}: {words}", final=500 <= code < 600)
