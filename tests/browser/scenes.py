"""What happens in the kitchens while somebody watches: told to the backend by signed requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from kitchen_watch.events import EventVerdict, EvidenceKind, ModelUsed, RuleUsed
from tests.backend.stories import Chain, Violation, deliver, evidence_file, upload, verdicts
from tests.backend.support import Backend
from tests.browser import media

HAT_RULE = RuleUsed(
    rule_id="NO_HAT",
    version="0123456789ab",
    parameters={
        "name": {"zh": "未戴厨师帽", "en": "No chef's hat"},
        "tier": 2,
        "labels": ["no_hat"],
        "held_s": 10.0,
        "fraction": 0.7,
        "absent_s": 10.0,
        "cooldown_s": 600.0,
        "min_person_px": 80.0,
        "whole_head": True,
    },
)
MODEL = ModelUsed(name="kitchen-yolo26n", version="0.3.0", sha256="a1" * 32, precision="bf16")


@dataclass
class Scene:
    """One violation with its pictures and clip; every step is a delivery of the edge."""

    site: Backend
    violation: Violation
    chain: Chain = field(default_factory=Chain)
    shade: int = 0

    @property
    def pictures(self) -> dict[EvidenceKind, bytes]:
        return {
            EvidenceKind.CLEAN: media.picture(shade=self.shade),
            EvidenceKind.ANNOTATED: media.picture(annotated=True, shade=self.shade),
        }

    def open(self, **more: Any) -> None:
        """Tell of the violation; its pictures are named but not uploaded yet."""
        manifest = self._seal(self.pictures)
        self._tell(
            evidence=manifest, rule=HAT_RULE, model=MODEL, confidence=0.83, server_offset_ms=-4200, **more
        )

    def upload_pictures(self) -> None:
        for content in self.pictures.values():
            self._upload(content)

    def announce_clip(self) -> None:
        """The clip has been cut; its manifest arrives before it."""
        self._tell(evidence=self._seal({EvidenceKind.CLIP: media.clip()}), rule=HAT_RULE, model=MODEL)

    def upload_clip(self) -> None:
        self._upload(media.clip())

    def _seal(self, contents: dict[EvidenceKind, bytes]) -> Any:
        return self.chain.seal(
            camera_id=self.violation.camera_id,
            violation_id=self.violation.violation_id,
            code=self.violation.code,
            files=[evidence_file(content, kind) for kind, content in contents.items()],
        )

    def _tell(self, **more: Any) -> None:
        result = deliver(self.site, self.violation.tell(**more), edge_id=self.violation.edge_id)
        assert verdicts(result) == [EventVerdict.ACCEPTED]

    def _upload(self, content: bytes) -> None:
        answer = upload(self.site, content, edge_id=self.violation.edge_id)
        assert answer.status_code == 200, answer.text
        assert answer.json()["complete"], answer.text


def scene(
    site: Backend,
    camera_id: str = "cam-a1",
    *,
    code: str = "NO_HAT",
    tier: int = 2,
    chain: Chain | None = None,
    shade: int = 0,
    before: timedelta = timedelta(seconds=12),
) -> Scene:
    """A violation that began ``before`` now."""
    edge_id = "edge-2" if camera_id == "cam-c1" else "edge-1"
    violation = Violation(
        camera_id=camera_id, edge_id=edge_id, code=code, tier=tier, started_at=datetime.now(UTC) - before
    )
    return Scene(site, violation, chain or Chain(edge_id), shade)
