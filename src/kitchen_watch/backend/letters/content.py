"""What stands in a letter: the one source of its page and its PDF.

The documents are Chinese whatever the reader's language: they are acts of an authority, and only
one wording can be one. Times are local to the premises.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from kitchen_watch.backend.letters.tables import LetterKind

TITLES: Mapping[LetterKind, str] = MappingProxyType(
    {LetterKind.REMINDER: "提醒函", LetterKind.SUPERVISION: "督办通知"}
)
_MARKS: Mapping[LetterKind, str] = MappingProxyType(
    {LetterKind.REMINDER: "食安提", LetterKind.SUPERVISION: "食安督"}
)
TIERS: Mapping[int, str] = MappingProxyType({1: "一级", 2: "二级", 3: "三级"})
HEADINGS = ("序号", "发现时间", "编号", "点位", "问题", "级别")


@dataclass(frozen=True, slots=True)
class Matter:
    """An alert as the letter names it."""

    alert_id: int
    found_at: datetime
    camera: str
    problem: str
    tier: int
    suspected: bool


class LetterContent(BaseModel):
    """A whole document."""

    title: str
    reference: str
    addressee: str
    opening: str
    headings: list[str]
    rows: list[list[str]]
    paragraphs: list[str]
    issuer: str
    date: str
    footer: str

    @property
    def sha256(self) -> str:
        """Seal over the whole content."""
        text = json.dumps(self.model_dump(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def reference_of(kind: LetterKind, issuer: str, year: int, number: int) -> str:
    """The number as it stands on the document, such as 解放街所食安督〔2026〕3号."""
    return f"{issuer}{_MARKS[kind]}〔{year}〕{number}号"


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a letter is made of."""

    kind: LetterKind
    reference: str
    addressee: str
    premises: str
    premises_side: bool
    matters: Sequence[Matter]
    deadline_at: datetime | None
    level: int
    text: str
    issuer: str
    issued_at: datetime
    zone: ZoneInfo


def compose(facts: Facts) -> LetterContent:
    """The document."""
    subject = "你单位" if facts.premises_side else f"辖区内{facts.premises}"
    overdue = facts.kind is LetterKind.SUPERVISION
    state = "存在以下问题，逾期未办结" if overdue else "存在以下情况"
    ending = f"，现予{_level(facts.level)}督办：" if overdue else "，现予提醒："
    paragraphs = []
    if facts.deadline_at is not None:
        task = (
            "完成整改，并通过平台提交整改说明和照片"
            if facts.premises_side
            else "督促办结，并在平台记录处理结果"
        )
        paragraphs.append(f"请于{_moment(facts.deadline_at, facts.zone)}前{task}。")
    if overdue:
        paragraphs.append("逾期仍未办结的，将逐级提高督办层级。")
    if facts.text.strip():
        paragraphs.append(facts.text.strip())
    if any(matter.suspected for matter in facts.matters):
        paragraphs.append("标注“疑似”的事项尚待核实，核实前不作为处理依据。")
    if facts.premises_side:
        paragraphs.append("如有异议，可通过平台提出申诉。")
    paragraphs.append("收到后请在平台确认签收。")
    local = facts.issued_at.astimezone(facts.zone)
    return LetterContent(
        title=TITLES[facts.kind],
        reference=facts.reference,
        addressee=f"{facts.addressee}：",
        opening=f"经“互联网+明厨亮灶”监管平台发现，{subject}{state}{ending}",
        headings=list(HEADINGS),
        rows=[
            [
                str(index),
                f"{matter.found_at.astimezone(facts.zone):%Y-%m-%d %H:%M}",
                str(matter.alert_id),
                matter.camera,
                matter.problem + ("（疑似）" if matter.suspected else ""),
                TIERS.get(matter.tier, str(matter.tier)),
            ]
            for index, matter in enumerate(facts.matters, start=1)
        ],
        paragraphs=paragraphs,
        issuer=facts.issuer,
        date=f"{local.year}年{local.month}月{local.day}日",
        footer=f"{facts.reference}　签发时间 {local:%Y-%m-%d %H:%M:%S}",
    )


def _level(level: int) -> str:
    return f"第{level}级" if level > 0 else ""


def _moment(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local.year}年{local.month}月{local.day}日{local:%H:%M}"
