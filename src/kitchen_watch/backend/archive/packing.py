"""Puts the archive of a premises together while it is sent. Every read is a short transaction.

Pictures carry a watermark of who took them, unless the sealed originals are asked for; clips and
manifests are as their edge sealed them, privacy masks burnt in. What is not kept any more, or was
never uploaded, has its line in the index all the same.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.archive.paper import CoverFacts, IndexLine, cover, index, labels
from kitchen_watch.backend.archive.timeline import complaint_text, timeline
from kitchen_watch.backend.archive.zipping import StreamedZip, blocks_of
from kitchen_watch.backend.audit.service import Actor
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.complaints.service import visible_complaint
from kitchen_watch.backend.complaints.views import complaint_detail
from kitchen_watch.backend.evidence.tables import EvidenceFileRow, ManifestRow
from kitchen_watch.backend.forms.content import FormContent
from kitchen_watch.backend.handling.photos import path_of
from kitchen_watch.backend.handling.tables import PhotoRow
from kitchen_watch.backend.handling.views import case_view
from kitchen_watch.backend.letters.printing import letter_pdf
from kitchen_watch.backend.live.watermark import marked
from kitchen_watch.backend.organisations.tables import CameraRow
from kitchen_watch.backend.pages import wording
from kitchen_watch.backend.pages.complaint_words import CATEGORIES
from kitchen_watch.backend.pages.languages import languages
from kitchen_watch.backend.pages.self_check_words import KINDS
from kitchen_watch.backend.parts import Parts
from kitchen_watch.backend.patrols.checks import visible_check as visible_patrol
from kitchen_watch.backend.patrols.tables import FindingPhotoRow, PatrolFindingRow, PatrolPictureRow
from kitchen_watch.backend.patrols.views import check_view
from kitchen_watch.backend.ratings.tables import RatingSnapshotRow
from kitchen_watch.backend.self_checks.filling import photos_of
from kitchen_watch.backend.self_checks.service import check_detail, visible_check
from kitchen_watch.errors import KitchenWatchError

LARGEST_PICTURE = 32 * 1024 * 1024
"""Larger ones are not marked in memory, and so stay out."""
PICTURES = frozenset({"image/jpeg"})


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes into an archive: rows by id, read while it is sent."""

    cover: CoverFacts
    zone: ZoneInfo
    sealed: bool
    """Pictures as they were sealed, without a watermark."""
    alert_ids: tuple[int, ...] = ()
    held: frozenset[int] = frozenset()
    letter_ids: tuple[int, ...] = ()
    self_check_ids: tuple[int, ...] = ()
    patrol_ids: tuple[int, ...] = ()
    complaint_ids: tuple[int, ...] = ()
    halves: tuple[int, ...] = ()


@dataclass
class Packing:
    """One archive on its way to one person."""

    parts: Parts
    person: Person
    actor: Actor
    plan: Plan
    now: datetime
    lines: list[IndexLine] = field(default_factory=list)

    def stream(self) -> Iterator[bytes]:
        """The ZIP, in pieces."""
        archive = StreamedZip(self.now.astimezone(self.plan.zone))
        facts = self.plan.cover
        yield from self._file(archive, "00-cover.pdf", cover(facts), "档案封皮")
        yield from self._file(archive, "01-labels.pdf", labels(facts), "脊背标签和侧标签")
        for alert_id in self.plan.alert_ids:
            yield from self._alert(archive, alert_id)
        for letter_id in self.plan.letter_ids:
            yield from self._letter(archive, letter_id)
        for check_id in self.plan.self_check_ids:
            yield from self._self_check(archive, check_id)
        for check_id in self.plan.patrol_ids:
            yield from self._patrol(archive, check_id)
        for complaint_id in self.plan.complaint_ids:
            yield from self._complaint(archive, complaint_id)
        for snapshot_id in self.plan.halves:
            yield from self._snapshot(archive, snapshot_id)
        known = {path: (digest, size) for path, digest, size in archive.sums}
        for path, content in (
            ("02-index.csv", index_csv(self.lines, known)),
            ("02-index.pdf", index(facts, self.lines)),
        ):
            yield from archive.add(path, (content,), size=len(content))
        yield from archive.close()

    def _alert(self, archive: StreamedZip, alert_id: int) -> Iterator[bytes]:
        with self.parts.database.read() as session:
            alert = session.get_one(AlertRow, alert_id)
            case = case_view(session, self.person, alert, now=self.now)
            camera = session.get_one(CameraRow, alert.camera_id)
            manifests = list(
                session.scalars(
                    select(ManifestRow)
                    .where(ManifestRow.alert_id == alert_id)
                    .order_by(ManifestRow.chain_index)
                )
            )
            files = list(
                session.scalars(
                    select(EvidenceFileRow)
                    .where(EvidenceFileRow.alert_id == alert_id)
                    .order_by(EvidenceFileRow.id)
                )
            )
            photos = list(
                session.scalars(
                    select(PhotoRow)
                    .where(PhotoRow.alert_id == alert_id, PhotoRow.rectification_id.is_not(None))
                    .order_by(PhotoRow.id)
                )
            )
        code = _chinese(wording.CODES.get(alert.code, alert.code))
        held = "保全中" if alert_id in self.plan.held else ""
        day = self._day(alert.found_at)
        folder = f"alerts/{alert_id:06d}"
        text = timeline(alert, case, camera=camera.name, zone=self.plan.zone)
        yield from self._file(
            archive, f"{folder}/timeline.txt", text.encode(), f"告警{alert_id} {code}：处置经过", day, held
        )
        record = case.model_dump_json(indent=1, exclude={"steps", "loose_photos"}).encode()
        yield from self._file(archive, f"{folder}/case.json", record, f"告警{alert_id} 处置记录（数据）", day)
        for manifest in manifests:
            body = json.dumps(manifest.body, ensure_ascii=False, indent=1).encode()
            yield from self._file(
                archive, f"{folder}/manifest-{manifest.chain_index}.json", body,
                f"告警{alert_id} 证据清单", day, f"清单哈希 {manifest.sha256}",
            )  # fmt: skip
        for file in files:
            yield from self._evidence(archive, folder, alert_id, file, camera.name, held)
        for photo in photos:
            where = None if photo.deleted_at else path_of(self.parts.settings.photos_dir, photo.sha256)
            yield from self._picture(
                archive, f"{folder}/photos/{photo.id}.jpg", where, f"告警{alert_id} 整改照片",
                self._day(photo.uploaded_at), _gone(photo.deleted_at, self.plan.zone), "整改照片",
            )  # fmt: skip

    def _evidence(
        self, archive: StreamedZip, folder: str, alert_id: int, file: EvidenceFileRow, camera: str, held: str
    ) -> Iterator[bytes]:
        kind = _chinese(wording.EVIDENCE_KINDS[file.kind][0])
        title, day = f"告警{alert_id} {kind}", self._day(file.starts_at)
        remark = _gone(file.deleted_at, self.plan.zone) or ("" if file.completed_at else "边缘节点未上传完成")
        where = None if remark else self.parts.evidence.path(file.sha256)
        target = f"{folder}/{file.id}-{Path(file.name).name}"
        if file.media_type in PICTURES:
            yield from self._picture(
                archive, target, where, title, day, remark or held, camera, sha256=file.sha256
            )
        elif where is None or not where.is_file():
            self.lines.append(IndexLine(title, day, "", remark or "文件缺失", file.sha256))
        else:
            yield from archive.add(target, blocks_of(where), size=file.size_bytes, packed=True)
            # A mark in the picture would be another film: its hash would prove nothing any more.
            note = "视频为封存原件，不加水印，哈希与证据清单一致"
            self.lines.append(IndexLine(title, day, target, _both(held, note)))

    def _letter(self, archive: StreamedZip, letter_id: int) -> Iterator[bytes]:
        try:
            letter, content = letter_pdf(
                self.parts.database, self.person, letter_id, directory=self.parts.settings.letters_dir,
                by=self.actor, now=self.now,
            )  # fmt: skip
        except KitchenWatchError:
            self.lines.append(IndexLine(f"文书 {letter_id}", "", "", "与签发时不一致，未收入"))
            return
        yield from self._file(
            archive, f"letters/{letter.id}.pdf", content, letter.reference, self._day(letter.issued_at)
        )

    def _self_check(self, archive: StreamedZip, check_id: int) -> Iterator[bytes]:
        with self.parts.database.read() as session:
            row = visible_check(session, self.person, check_id)
            check = check_detail(session, self.person, row)
            photos = photos_of(session, check_id)
        name = f"{_chinese(KINDS[check.kind])} {check.period}" + (
            f"（第{check.revision - 1}次更正）" if check.revision > 1 else ""
        )
        folder, day = f"self-checks/{check.period}-{check.kind.value}-{check.revision}", self._day(row.due_at)
        yield from self._file(
            archive, f"{folder}/form.txt", _form_text(name, check.content, row.answers).encode(), name, day
        )
        body = check.model_dump_json(indent=1, exclude={"may_edit", "may_correct", "problems"}).encode()
        yield from self._file(
            archive, f"{folder}/form.json", body, f"{name}（数据）", day, f"封存 {check.sha256}"
        )
        for photo in photos:
            where = path_of(self.parts.settings.self_check_photos_dir, photo.sha256)
            yield from self._picture(
                archive, f"{folder}/{photo.id}.jpg", where, f"{name} 照片", day,
                _gone(photo.deleted_at, self.plan.zone), "自查照片",
            )  # fmt: skip

    def _patrol(self, archive: StreamedZip, check_id: int) -> Iterator[bytes]:
        with self.parts.database.read() as session:
            row = visible_patrol(session, self.person, check_id)
            check = check_view(session, self.person, row, now=self.now)
            pictures = list(
                session.scalars(
                    select(PatrolPictureRow)
                    .where(PatrolPictureRow.check_id == check_id)
                    .order_by(PatrolPictureRow.id)
                )
            )
            answers = list(
                session.scalars(
                    select(FindingPhotoRow)
                    .join(PatrolFindingRow, PatrolFindingRow.id == FindingPhotoRow.finding_id)
                    .where(PatrolFindingRow.check_id == check_id, FindingPhotoRow.answer.is_not(None))
                    .order_by(FindingPhotoRow.id)
                )
            )
        content = check.form.content
        name = f"检查{check_id} {content.name}"
        folder, day = f"checks/{check_id:06d}", self._day(check.finished_at or check.taken_at)
        yield from self._file(
            archive, f"{folder}/form.txt", _form_text(name, content, row.answers).encode(), name, day,
            f"检查人 {check.by.name}，发现问题 {check.findings} 项",
        )  # fmt: skip
        body = check.model_dump_json(indent=1, exclude={"mine", "problems"}).encode()
        yield from self._file(archive, f"{folder}/form.json", body, f"{name}（数据）", day)
        for picture in pictures:
            where = path_of(self.parts.settings.patrol_pictures_dir, picture.sha256)
            yield from self._picture(
                archive, f"{folder}/{picture.id}.jpg", where, f"{name} 图片", day,
                _gone(picture.deleted_at, self.plan.zone), "检查图片", sha256=picture.sha256,
            )  # fmt: skip
        for photo in answers:
            where = path_of(self.parts.settings.patrol_pictures_dir, photo.sha256)
            yield from self._picture(
                archive, f"{folder}/answers/{photo.id}.jpg", where,
                f"{name} 整改照片（问题{photo.finding_id}）",
                self._day(photo.at), _gone(photo.deleted_at, self.plan.zone), "整改照片", sha256=photo.sha256,
            )  # fmt: skip

    def _complaint(self, archive: StreamedZip, complaint_id: int) -> Iterator[bytes]:
        """What was complained about and what became of it; who complained is never in it."""
        with self.parts.database.read() as session:
            row = visible_complaint(session, self.person, complaint_id)
            detail = complaint_detail(session, self.person, row, links=self.parts.links, now=self.now)
        name, day = f"{detail.title} {_chinese(CATEGORIES[detail.category])}", self._day(detail.filed_at)
        folder = f"complaints/{complaint_id:06d}"
        yield from self._file(
            archive, f"{folder}/complaint.txt", complaint_text(detail, zone=self.plan.zone).encode(), name,
            day, "投诉人信息不入档案",
        )  # fmt: skip
        left_out = {"complainant", "contact", "handles", "steps", "alerts", "task_id"}
        body = detail.model_dump_json(indent=1, exclude=left_out).encode()
        yield from self._file(archive, f"{folder}/complaint.json", body, f"{name}（数据）", day)

    def _snapshot(self, archive: StreamedZip, snapshot_id: int) -> Iterator[bytes]:
        with self.parts.database.read() as session:
            row = session.get_one(RatingSnapshotRow, snapshot_id)
        body = {
            "half": row.half, "score": row.score, "formula_version": row.formula_version, "lines": row.lines,
            "inputs": row.inputs, "formula": row.formula, "sha256": row.sha256,
            "frozen_at": row.frozen_at.isoformat(),
        }  # fmt: skip
        yield from self._file(
            archive, f"ratings/{row.half}.json", json.dumps(body, ensure_ascii=False, indent=1).encode(),
            f"{row.half} 卫生得分 {row.score}（仅供参考，非官方等级）", self._day(row.frozen_at),
        )  # fmt: skip

    def _picture(
        self,
        archive: StreamedZip,
        target: str,
        where: Path | None,
        title: str,
        day: str,
        remark: str,
        shown: str,
        *,
        sha256: str = "",
    ) -> Iterator[bytes]:
        if where is None or not where.is_file():
            self.lines.append(IndexLine(title, day, "", remark or "文件缺失", sha256))
            return
        size = where.stat().st_size
        if self.plan.sealed:
            yield from archive.add(target, blocks_of(where), size=size, packed=True)
            self.lines.append(IndexLine(title, day, target, _both(remark, "原件，无水印")))
            return
        try:
            if size > LARGEST_PICTURE:
                raise ValueError
            viewer = f"{self.person.display_name} {self.plan.cover.reference}"
            content = marked(
                where.read_bytes(), viewer=viewer, camera=shown, at=self.now, zone=self.plan.zone
            )
        except (KitchenWatchError, ValueError):
            self.lines.append(IndexLine(title, day, "", "图片无法加水印，未收入", sha256))
            return
        yield from archive.add(target, (content,), size=len(content), packed=True)
        self.lines.append(IndexLine(title, day, target, _both(remark, "带水印副本")))

    def _file(
        self, archive: StreamedZip, path: str, content: bytes, title: str, day: str = "", remark: str = ""
    ) -> Iterator[bytes]:
        yield from archive.add(path, (content,), size=len(content))
        self.lines.append(IndexLine(title, day, path, remark))

    def _day(self, at: datetime | date) -> str:
        return f"{at.astimezone(self.plan.zone) if isinstance(at, datetime) else at:%Y-%m-%d}"


def index_csv(lines: list[IndexLine], known: dict[str, tuple[str, int]]) -> bytes:
    """The index for machines and spreadsheets: UTF-8 with a mark, so that Excel reads it."""
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(("序号", "题名", "日期", "文件", "备注", "SHA-256", "字节"))
    for number, line in enumerate(lines, start=1):
        digest, size = known.get(line.path, (line.sha256, line.size))
        row = (number, line.title, line.date, line.path, line.remark, digest, size or "")
        table.writerow([_harmless(cell) for cell in row])
    return text.getvalue().encode("utf-8-sig")


def _harmless(cell: object) -> object:
    # A spreadsheet takes such a beginning for a formula.
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t")) else cell


def _gone(deleted_at: datetime | None, zone: ZoneInfo) -> str:
    return f"已于{deleted_at.astimezone(zone):%Y-%m-%d}按保存期限删除" if deleted_at is not None else ""


def _both(remark: str, kind: str) -> str:
    return f"{remark}；{kind}" if remark else kind


def _chinese(message: str) -> str:
    return languages()["zh"].gettext(message)


def _form_text(title: str, content: FormContent, answers: dict[str, Any]) -> str:
    shown = {"yes": "是", "no": "否", "na": "不适用"}
    lines = [title, content.name, ""]
    for section in content.sections:
        lines.append(f"【{section.name}】")
        for item in section.items:
            answer = answers.get(item.key) or {}
            value = answer.get("value")
            words = "—" if value is None else shown.get(str(value), str(value))
            choice = next((one.name for one in item.choices if one.key == value), words)
            note = f"（{answer['note']}）" if answer.get("note") else ""
            lines.append(f"{item.name}：{choice}{item.unit if value is not None else ''}{note}")
        lines.append("")
    return "\n".join(lines)
