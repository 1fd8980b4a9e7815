"""The public page of a premises (no login), and the plates that lead to it (for those responsible).

A public page depends on its address alone, never on a cookie: whoever asks gets the same, and proxies
may keep it. It is the only page that other sites may show in a frame.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.auth.callers import AnyPerson, Regulator, VisitorOf
from kitchen_watch.backend.bounds import PlaceId
from kitchen_watch.backend.pages import languages
from kitchen_watch.backend.pages.answers import HEADERS, FrameOf, go_to, page
from kitchen_watch.backend.pages.rendering import Frame, static_version
from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.backend.public import service
from kitchen_watch.backend.public.plates import PlateFacts, PlateFormat, official_plate, qr_plate, qr_svg
from kitchen_watch.backend.public.schemas import PublicPremises
from kitchen_watch.control import WHOLLY_HIDDEN
from kitchen_watch.errors import NotFound

router = APIRouter(include_in_schema=False)

Code = Annotated[str, Path(max_length=32, pattern="^[0-9a-z]+$")]
LanguageCode = Annotated[Literal["zh", "en"], Query(alias="lang")]
PLATE_TYPES = {"pdf": "application/pdf", "png": "image/png", "svg": "image/svg+xml"}

EMBEDDING = '<iframe src="%s?embed=1" width="360" height="640"></iframe>'


def unhurried(visitor: VisitorOf, parts: PartsOf) -> None:
    """A stranger who has not asked too often."""
    parts.public_limit.check(visitor.address)


@router.get("/p/{code}", dependencies=[Depends(unhurried)])
def show_public(
    code: Code,
    request: Request,
    parts: PartsOf,
    *,
    language: LanguageCode = "zh",
    embedded: Annotated[Literal["0", "1"], Query(alias="embed")] = "0",
) -> Response:
    """What a stranger may see of a premises."""
    now = parts.clock.now()
    with parts.database.read() as session:
        premises = service.public_premises(session, code, now=now)
    headers = _public_headers(parts, _tag(premises, language, embedded))
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    frame = Frame(
        language=languages.languages()[language],
        theme="auto",
        person=None,
        now=now,
        address=request.url.path,
        zone=parts.settings.zone,
    )
    answer = page(
        "public.html",
        frame,
        premises=premises,
        code=code,
        embedded=embedded == "1",
        every=int(parts.settings.public.picture_every.total_seconds()),
    )
    answer.headers.update(headers)
    return answer


@router.get("/p/{code}/{number}.jpg", dependencies=[Depends(unhurried)])
async def show_picture(code: Code, number: Annotated[int, Path(ge=1, le=1000)], parts: PartsOf) -> Response:
    """The newest picture of a public camera, faces hidden; 204 where there is none at present."""

    def find() -> tuple[str, str]:
        with parts.database.read() as session:
            cameras = service.public_cameras(session, service.premises_by_code(session, code))
            if number > len(cameras):
                raise NotFound("There is no such camera.")
            return cameras[number - 1].edge_id, cameras[number - 1].camera_id

    edge_id, camera_id = await run_in_threadpool(find)
    picture = await parts.public_pictures.newest(edge_id, camera_id)
    if picture is None:
        return Response(status_code=204, headers={"cache-control": "no-store"})
    every = max(1, int(parts.settings.public.picture_every.total_seconds()) - 1)
    headers = {"cache-control": f"public, max-age={every}"}
    if picture[2:].startswith(WHOLLY_HIDDEN):
        headers["x-picture"] = "hidden"  # the page says why nothing can be made out
    return Response(picture, media_type="image/jpeg", headers=headers)


@router.get("/premises/{premises_id}/plate")
def show_plate(premises_id: PlaceId, person: AnyPerson, frame: FrameOf, parts: PartsOf) -> Response:
    """The plates of a premises: what they look like, and the files to print."""
    with parts.database.read() as session:
        premises = service.visible_premises(session, person, premises_id)
        public = service.page_of(session, premises_id, origin=parts.settings.public_url)
        official = service.responsible_official(session, premises_id)
        shown = service.shown_of(session, premises_id, now=frame.now)
    return page(
        "plate.html",
        frame,
        place=premises,
        public=public,
        official=official,
        shown=shown,
        embedding=EMBEDDING % public.url if public is not None else "",
    )


@router.post("/premises/{premises_id}/plate")
def publish_by_form(premises_id: PlaceId, person: Regulator, parts: PartsOf, visitor: VisitorOf) -> Response:
    """Publish the page, or renew its code."""
    with parts.database.write() as session:
        service.visible_premises(session, person, premises_id)
        actor = Actor(person.id, visitor.address)
        service.publish(session, premises_id, now=parts.clock.now(), actor=actor)
    return go_to(f"/premises/{premises_id}/plate")


@router.get("/premises/{premises_id}/plate.{kind}")
def get_plate(
    premises_id: PlaceId,
    kind: Literal["pdf", "png", "svg"],
    person: AnyPerson,
    parts: PartsOf,
    visitor: VisitorOf,
) -> Response:
    """The plate for the door; as SVG the code alone."""
    facts = _facts(parts, person, premises_id, visitor, plate="door", kind=kind)
    content = qr_svg(facts.url) if kind == "svg" else qr_plate(facts, kind)
    return _file(content, f"plate-{facts.licence_no}", kind)


@router.get("/premises/{premises_id}/official-plate.{kind}")
def get_official_plate(
    premises_id: PlaceId, kind: PlateFormat, person: AnyPerson, parts: PartsOf, visitor: VisitorOf
) -> Response:
    """The plate that names the responsible official."""
    facts = _facts(parts, person, premises_id, visitor, plate="official", kind=kind)
    if facts.official is None:
        raise NotFound("No official is responsible for this premises at present.")
    return _file(official_plate(facts, kind), f"official-{facts.licence_no}", kind)


def _facts(parts: Parts, person: AnyPerson, premises_id: int, visitor: VisitorOf, **asked: str) -> PlateFacts:
    with parts.database.write() as session:
        premises = service.visible_premises(session, person, premises_id)
        public = service.page_of(session, premises_id, origin=parts.settings.public_url)
        if public is None:
            raise NotFound("This premises has no public page.")
        if asked["kind"] != "svg":  # the page itself shows the code
            record(
                session,
                Actor(person.id, visitor.address),
                "plate_downloaded",
                at=parts.clock.now(),
                about=("premises", premises_id),
                premises_id=premises_id,
                **asked,
            )
        return PlateFacts(
            premises.name,
            premises.name_en,
            premises.licence_no,
            public.url,
            service.responsible_official(session, premises_id),
        )


def _file(content: bytes, name: str, kind: str) -> Response:
    safe = "".join(symbol if symbol.isascii() and symbol.isalnum() else "-" for symbol in name)
    headers = {"cache-control": "no-store", "content-disposition": f'inline; filename="{safe}.{kind}"'}
    return Response(content, media_type=PLATE_TYPES[kind], headers=headers)


def _tag(premises: PublicPremises, language: str, embedded: str) -> str:
    content = f"{premises.model_dump_json()} {language} {embedded} {static_version()}"
    return f'"{hashlib.sha256(content.encode()).hexdigest()[:32]}"'


def _public_headers(parts: Parts, tag: str) -> dict[str, str]:
    settings = parts.settings.public
    policy = HEADERS["content-security-policy"]
    frames = " ".join(settings.embedded_by) or "'none'"
    return {
        "etag": tag,
        "cache-control": f"public, max-age={int(settings.cached_for.total_seconds())}",
        "content-security-policy": policy.replace("frame-ancestors 'none'", f"frame-ancestors {frames}"),
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "unsafe-none",
    }
