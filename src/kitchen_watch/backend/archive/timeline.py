"""The life of one alert in plain Chinese lines, oldest first: what a paper file keeps of it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.complaints.schemas import ComplaintDetail
from kitchen_watch.backend.deadlines.clocks import MomentKind
from kitchen_watch.backend.handling.schemas import CaseView
from kitchen_watch.backend.handling.tables import StatementKind
from kitchen_watch.backend.pages import handling_words, wording
from kitchen_watch.backend.pages.complaint_words import CATEGORIES, CHANNELS, STATES, STEPS
from kitchen_watch.backend.pages.languages import languages


def timeline(alert: AlertRow, case: CaseView, *, camera: str, zone: ZoneInfo) -> str:
    """Heading and lines, each with its local time."""
    chinese = languages()["zh"].gettext
    code = chinese(wording.CODES[alert.code]) if alert.code in wording.CODES else alert.code
    tier = chinese(wording.TIERS[alert.tier][0]) if alert.tier in wording.TIERS else str(alert.tier)
    state = chinese(wording.ALERT_STATES[alert.state][0])
    found: list[tuple[datetime, str]] = [(alert.found_at, f"发现：{code}（{tier}），摄像头 {camera}")]
    if alert.ended_at is not None:
        found.append((alert.ended_at, "画面中的情形结束"))
    for step in case.transitions:
        words = handling_words.STEPS.get(step.step)
        said = f"{chinese(words[0]) if words else step.step}：{step.by.name}"
        if step.reason:
            reason = handling_words.REASONS.get(step.reason)
            said += f"，原因：{chinese(reason) if reason else step.reason}"
        found.append((step.at, said + (f"，说明：{step.note}" if step.note else "")))
    for notice in case.notices:
        kind = "督办" if notice.kind is MomentKind.SUPERVISION else "催办"
        level = f"（第{notice.level}级）" if notice.level else ""
        by = notice.by.name if notice.by else "系统到期自动发出"
        found.append((notice.at, f"{kind}{level}：{by}" + (f"，说明：{notice.note}" if notice.note else "")))
    for appeal in case.appeals:
        found.append((appeal.at, f"申诉理由：{appeal.text}"))
        if appeal.decided_at is not None:
            verdict = "成立" if appeal.upheld else "不成立"
            found.append((appeal.decided_at, f"申诉{verdict}：{appeal.decision}"))
    for said_done in case.rectifications:
        kind = "控制措施" if said_done.kind is StatementKind.CONTAINMENT else "整改说明"
        photos = f"（照片 {len(said_done.photos)} 张）" if said_done.photos else ""
        found.append((said_done.at, f"{kind}：{said_done.by.name}：{said_done.text}{photos}"))
        if said_done.reviewed_at is not None:
            verdict = "通过" if said_done.accepted else "退回"
            found.append((said_done.reviewed_at, f"整改审核{verdict}：{said_done.review}"))
    lines = [f"告警 {alert.id}　{code}　{tier}　当前状态：{state}", ""]
    lines += [f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}　{words}" for at, words in sorted(found, key=_when)]
    return "\n".join(lines) + "\n"


def complaint_text(complaint: ComplaintDetail, *, zone: ZoneInfo) -> str:
    """A complaint with its steps, on paper's terms; nobody who complained is named."""
    gettext = languages()["zh"].gettext
    state = gettext(STATES[complaint.state][0])
    span = (f"{at.astimezone(zone):%Y-%m-%d %H:%M}" for at in (complaint.since_at, complaint.until_at))
    lines = [
        f"{complaint.title}　{gettext(CATEGORIES[complaint.category])}　当前状态：{state}",
        f"来源：{gettext(CHANNELS[complaint.channel])} {complaint.reference}".rstrip(),
        f"投诉时段：{' 至 '.join(span)}",
        f"内容：{complaint.text}",
        "",
    ]
    lines += [
        f"{one.at.astimezone(zone):%Y-%m-%d %H:%M:%S}　{gettext(STEPS[one.step])}：{one.by}"
        + (f"：{one.text}" if one.text else "")
        for one in complaint.entries
    ]
    return "\n".join(lines) + "\n"


def _when(line: tuple[datetime, str]) -> datetime:
    return line[0]
