"""The columns of the files by which the organisation is imported and exported. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from kitchen_watch.backend.organisations.bodies import WEEKDAYS


class ImportKind(StrEnum):
    """What a file is about. To be imported in this order: each refers to the ones before."""

    GRIDS = "grids"
    PEOPLE = "people"
    PREMISES = "premises"
    CAMERAS = "cameras"
    TASKS = "tasks"


class Form(StrEnum):
    """How a cell is read."""

    TEXT = "text"
    FLAG = "flag"
    NUMBER = "number"
    HOURS = "hours"
    CHOICE = "choice"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its key, its Chinese name, and what may stand in it."""

    key: str
    zh: str
    required: bool = False
    form: Form = Form.TEXT
    choices: Mapping[str, str] | None = None
    """Value by the words that people write for it."""

    @property
    def heading(self) -> str:
        """What stands above it in our own files."""
        return f"{self.zh} ({self.key})"


def _words(**values: str) -> dict[str, str]:
    found = {}
    for value, words in values.items():
        found[value] = value
        for word in words.split():
            found[word] = value
    return found


KINDS = _words(city="市 城市", district="区县 区 县 旗", station="所 街道 乡镇 监管所", grid="网格")
AREAS = _words(stove="灶 亮灶", cabinet="柜 亮柜", area="区 亮区")
ROLES = _words(
    admin="管理员",
    supervisor="督查组 督查员",
    grid_officer="网格员",
    responsible_official="包保干部 包保责任人",
    premises_manager="负责人 餐饮负责人",
    premises_staff="员工 餐饮员工",
)
FLAGS = {"": "", "true": "true", "yes": "true", "1": "true", "是": "true", "y": "true",
         "false": "false", "no": "false", "0": "false", "否": "false", "n": "false"}  # fmt: skip
_DAYS = dict(zip(("周一", "周二", "周三", "周四", "周五", "周六", "周日"), WEEKDAYS, strict=True))
_EVERY = {"每天", "每日", "daily"}

COLUMNS: Mapping[ImportKind, tuple[Column, ...]] = {
    ImportKind.GRIDS: (
        Column("code", "编码", required=True),
        Column("kind", "层级", required=True, form=Form.CHOICE, choices=KINDS),
        Column("name", "名称", required=True),
        Column("name_en", "英文名称"),
        Column("parent_code", "上级编码"),
    ),
    ImportKind.PEOPLE: (
        Column("username", "登录名", required=True),
        Column("display_name", "姓名", required=True),
        Column("role", "角色", required=True, form=Form.CHOICE, choices=ROLES),
        Column("node_code", "辖区编码"),
        Column("licence_no", "许可证号"),
        Column("group_code", "督查组编码"),
        Column("disabled", "停用", form=Form.FLAG),
    ),
    ImportKind.PREMISES: (
        Column("licence_no", "许可证号", required=True),
        Column("name", "名称", required=True),
        Column("name_en", "英文名称"),
        Column("business_type", "业态"),
        Column("address", "地址"),
        Column("grid_code", "网格编码", required=True),
        Column("time_zone", "时区"),
        Column("hours", "营业时间", form=Form.HOURS),
        Column("responsible_person", "负责人"),
        Column("phone", "电话"),
        Column("latitude", "纬度", form=Form.NUMBER),
        Column("longitude", "经度", form=Form.NUMBER),
        Column("inspection_grade", "量化等级"),
        Column("risk_grade", "风险等级"),
        Column("official_username", "包保干部登录名"),
        Column("official_level", "包保级别"),
        Column("rollout_batch", "接入批次"),
        Column("uniform", "工作服定义"),
        Column("active", "在营", form=Form.FLAG),
    ),
    ImportKind.CAMERAS: (
        Column("camera_id", "摄像头编号", required=True),
        Column("licence_no", "许可证号", required=True),
        Column("edge_id", "边缘节点", required=True),
        Column("name", "名称", required=True),
        Column("name_en", "英文名称"),
        Column("area_type", "区域类型", required=True, form=Form.CHOICE, choices=AREAS),
        Column("zone_type", "场所"),
        Column("public", "公开", form=Form.FLAG),
        Column("gb_device_id", "国标设备编号"),
        Column("gb_channel_id", "国标通道编号"),
        Column("enabled", "启用", form=Form.FLAG),
    ),
    ImportKind.TASKS: (
        Column("number", "编号", required=True),
        Column("parent_number", "上级编号"),
        Column("title", "任务", required=True),
        Column("department", "牵头部门"),
        Column("node_codes", "责任单位编码"),
        Column("starts_on", "开始日期", form=Form.DATE),
        Column("due_on", "完成时限", form=Form.DATE),
        Column("weight", "权重", form=Form.NUMBER),
        Column("text", "说明"),
    ),
}

PROBLEMS: Mapping[str, str] = {
    "missing_column": "This column is missing. Take the template, or add the column.",
    "unknown_column": "This column is not known. Remove it, or correct its name by the template.",
    "double_column": "This column is there twice. Remove one.",
    "empty": "This must not be empty. Fill it in.",
    "bad_choice": "“%(value)s” is not one of: %(known)s. Write one of these.",
    "bad_flag": "“%(value)s” is neither yes nor no. Write 是 or 否.",
    "bad_number": "“%(value)s” is not a number. Write one like 38.4664.",
    "bad_hours": "“%(value)s” are no opening hours. Write like: 每天 10:00-14:00 17:00-21:30",
    "bad_date": "“%(value)s” is not a date. Write one like 2026-06-30.",
    "circle": "“%(value)s” would lie below itself. Correct the number of the task above it.",
    "heading": "“%(value)s” has tasks below it and cannot be given to units. Empty its units.",
    "rounded": "“%(value)s” has lost digits in the spreadsheet. Make the column text and enter it again.",
    "bad_value": "“%(value)s” cannot be used: %(why)s.",
    "twice": "“%(value)s” stands in row %(row)s already. Remove one of the two.",
    "nowhere": "“%(value)s” is not registered. Import or register it first, or correct it.",
    "no_leaf": "“%(value)s” is no grid: other nodes lie below it. Choose one of those.",
    "no_officer": "The grid “%(value)s” has no officer. Name one for it first.",
    "moved": "“%(value)s” lies elsewhere in the tree. Move it on its own page first.",
    "holds_premises": "Premises lie in “%(value)s”; nothing can lie below it. Move them first.",
    "wrong_place": "The role %(value)s needs %(needed)s, and nothing else.",
    "no_official": "“%(value)s” is no supervision staff who can log in. Choose somebody else.",
    "other_role": "The login “%(value)s” exists with another role or place. Change it on its own page.",
}
"""What may be wrong with a cell and what to do, by code; translated by the pages."""


@dataclass(frozen=True, slots=True)
class CellProblem:
    """What is wrong where: ``row`` counts as a spreadsheet does, the header is row 1."""

    row: int
    column: str
    code: str
    values: Mapping[str, str]

    @property
    def sentence(self) -> str:
        """In English."""
        return PROBLEMS[self.code] % dict(self.values)


def columns_of(kind: ImportKind, header: list[str]) -> tuple[list[Column | None], list[CellProblem]]:
    """Which column stands where, by key, by Chinese name or by our own heading."""
    known = {}
    for one in COLUMNS[kind]:
        for name in (one.key, one.zh, one.heading):
            known[name.lower()] = one
    found: list[Column | None] = []
    problems = []
    for title in header:
        column: Column | None = known.get(title.strip().rstrip("*").strip().lower())
        if column is None and title:
            problems.append(CellProblem(1, title[:60], "unknown_column", {}))
        elif column is not None and column in found:
            problems.append(CellProblem(1, column.key, "double_column", {}))
            column = None
        found.append(column)
    problems += [
        CellProblem(1, one.key, "missing_column", {})
        for one in COLUMNS[kind]
        if one.required and one not in found
    ]
    return found, problems


def read_cell(column: Column, text: str) -> Any:
    """The value of a cell; an empty one has none.

    Raises:
        ValueError: with the code of the problem and its values as arguments.
    """
    if not text:
        if column.required:
            raise ValueError("empty", {})
        return None
    if re.fullmatch(r"\d(\.\d+)?[eE]\+\d+", text):
        raise ValueError("rounded", {"value": text})
    if column.form is Form.FLAG:
        flag = FLAGS.get(text.lower())
        if not flag:
            raise ValueError("bad_flag", {"value": text[:60]})
        return flag == "true"
    if column.form is Form.NUMBER:
        try:
            return float(text)
        except ValueError:
            raise ValueError("bad_number", {"value": text[:60]}) from None
    if column.form is Form.DATE:
        parts = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T ]00:00(?::00)?)?", text)
        try:
            year, month, day = map(int, parts.groups() if parts else ())
            return date(year, month, day).isoformat()
        except ValueError:
            raise ValueError("bad_date", {"value": text[:60]}) from None
    if column.form is Form.HOURS:
        return read_hours(text)
    if column.choices is not None:
        value = column.choices.get(text) or column.choices.get(text.lower())
        if value is None:
            raise ValueError(
                "bad_choice", {"value": text[:60], "known": " ".join(dict.fromkeys(column.choices))}
            )
        return value
    return text


def read_hours(text: str) -> dict[str, list[str]]:
    """``每天 10:00-14:00 17:00-21:30; 周日 11:00-20:00`` by weekday; a later part replaces an earlier."""
    hours: dict[str, list[str]] = {}
    for part in re.split(r"[;；\n]", text):
        words = part.replace("：", ":").replace("—", "-").replace("，", " ").replace(",", " ").split()
        if not words:
            continue
        day, spans = words[0].lower(), words[1:]
        day = _DAYS.get(day, day)
        days = WEEKDAYS if day in _EVERY else (day,)
        if day not in _EVERY and day not in WEEKDAYS:
            raise ValueError("bad_hours", {"value": text[:60]})
        if any(not re.fullmatch(r"\d{1,2}:\d{2}-\d{1,2}:\d{2}", span) for span in spans):
            raise ValueError("bad_hours", {"value": text[:60]})
        hours |= dict.fromkeys(days, spans)
    return hours


def write_hours(hours: Mapping[str, list[str]]) -> str:
    """The same as text."""
    if hours and set(hours) == set(WEEKDAYS) and len({tuple(spans) for spans in hours.values()}) == 1:
        return " ".join(["每天", *hours["mon"]])
    names = {key: name for name, key in _DAYS.items()}
    return "; ".join(" ".join([names[day], *hours[day]]) for day in WEEKDAYS if day in hours)
