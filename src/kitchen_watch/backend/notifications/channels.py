"""What tells people, and which courier serves which channel, by what the operator has configured."""

from __future__ import annotations

from kitchen_watch.backend.notifications.couriers import DingTalkCourier, MailCourier
from kitchen_watch.backend.notifications.outside import Outside
from kitchen_watch.backend.notifications.telling import Teller
from kitchen_watch.backend.pages.notification_words import words_for
from kitchen_watch.backend.settings import BackendSettings
from kitchen_watch.backend.webhooks.couriers import Caller, Courier, WebhookCourier
from kitchen_watch.backend.webhooks.tables import Channel


def teller_of(settings: BackendSettings) -> Teller:
    """What tells people of complaints, tasks, self-checks, reports and the disk."""
    return Teller(Outside(settings.notifications, words_for), settings.public_url, settings.zone)


def couriers_of(settings: BackendSettings) -> dict[Channel, Courier]:
    """One courier per channel; none for e-mail where no server is named."""
    caller = Caller(settings.outgoing)
    couriers: dict[Channel, Courier] = {
        Channel.WEBHOOK: WebhookCourier(caller),
        Channel.DINGTALK: DingTalkCourier(caller),
    }
    mail = settings.notifications.mail
    if mail.host:
        couriers[Channel.EMAIL] = MailCourier(mail, public_url=settings.public_url)
    return couriers
