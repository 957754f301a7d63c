"""A base image like `python:slim` made of the Python that runs the tests, with a folder of wheels instead of an index."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pip
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PYTHON, PIP_PLACE, WHEELS = "/usr/local/bin/python3", "/etc/pip.conf", "/wheels"
#: Where pip in the image looks, and nowhere else: a build of the tests reaches no index.
PIP_CONF = b"[global]\nno-index = true\nfind-links = /wheels\ndisable-pip-version-check = true\nroot-user-action = ignore\n"
#: Of the standard library, what no program of ours imports. Compiled code comes along: starting pip takes seconds without.
LEFT_OUT = {"test", "tests", "idlelib", "tkinter", "turtledemo", "lib2to3", "site-packages", "dist-packages"}

SYSTEM_LIBRARIES = (
    "libpthread.so.0", "libdl.so.2", "librt.so.1", "libm.so.6", "libutil.so.1", "libresolv.so.2", "libgcc_s.so.1",
    "libstdc++.so.6", "libz.so.1", "libnss_files.so.2", "libnss_dns.so.2",
)  # fmt: skip


def import_base(client: Any, name: str, needs: Iterable[str]) -> None:
    """Import the image `name`; its wheels are what the requirements `needs` lead to among the installed packages."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", dereference=True) as archive:
        entries = {**_interpreter(), **_pip()}
        # A folder that no entry makes would be root's alone.
        made = (*entries, PYTHON, PIP_PLACE, f"{WHEELS}/any")
        for path in sorted({str(p) for entry in made for p in Path(entry).parents} - {"/"} | {"/tmp"}):
            folder = tarfile.TarInfo(path.lstrip("/"))
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777 if path == "/tmp" else 0o755
            archive.addfile(folder)
        for place, source in sorted(entries.items()):
            archive.add(source, place.lstrip("/"))
        link = tarfile.TarInfo(PYTHON.lstrip("/"))
        link.type, link.linkname = tarfile.SYMTYPE, str(_python())
        archive.addfile(link)
        _put(archive, PIP_PLACE, PIP_CONF)
        for wheel, data in wheels(needs):
            _put(archive, f"{WHEELS}/{wheel}", data)
    repository, tag = name.split(":")
    client.api.import_image_from_data(out.getvalue(), repository=repository, tag=tag)


def wheels(needs: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of wheels, packed anew from the packages installed here."""
    seen: set[str] = set()
    todo = [Requirement(text) for text in needs]
    while todo:
        requirement = todo.pop()
        extras = requirement.extras or {""}
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        found = metadata.distribution(requirement.name)
        for line in found.requires or ():
            needed = Requirement(line)
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                needed.marker = None
                todo.append(needed)
        if canonicalize_name(requirement.name) not in seen:
            seen.add(canonicalize_name(requirement.name))
            yield _wheel(found)


def _wheel(found: metadata.Distribution) -> tuple[str, bytes]:
    # Several tags may be one compressed set in the name; the interpreter here fits each of them.
    tag = re.findall(r"^Tag: (\S+)$", found.read_text("WHEEL") or "", re.MULTILINE)[0]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for file in found.files or ():
            path, name = Path(str(found.locate_file(file))), file.as_posix()
            if name.startswith("..") or "__pycache__" in name or not path.is_file():
                continue
            if file.name in ("INSTALLER", "REQUESTED", "direct_url.json"):
                continue
            data = path.read_bytes()
            if file.name == "RECORD":
                data = b"".join(line for line in data.splitlines(True) if not line.startswith(b".."))
            archive.writestr(name, data)
    name = canonicalize_name(found.metadata["Name"]).replace("-", "_")
    return f"{name}-{found.version}-{tag}.whl", out.getvalue()


def _python() -> Path:
    return Path(sys.executable).resolve()


def _interpreter() -> dict[str, Path]:
    """Place and source of interpreter, standard library, a shell, and what they are linked to."""
    library = Path(sysconfig.get_path("stdlib", vars={"base": sys.base_prefix}))
    files = {_python(), Path("/bin/sh")}
    files |= {path for path in library.rglob("*") if path.is_file() and _of_use(path.relative_to(library).parts)}
    linked = [str(path) for path in files if path.suffix == ".so" or path in (_python(), Path("/bin/sh"))]
    said = subprocess.run(["ldd", *linked], capture_output=True, text=True, check=False).stdout
    found = [Path(path) for path in re.findall(r"(/\S+) \(0x", said)]
    # Beside the C library: what compiled wheels count on everywhere.
    system = next(path.parent for path in found if path.name.startswith("libc.so"))
    files |= {*found, *(system / name for name in SYSTEM_LIBRARIES)}
    return {str(path): path for path in files if path.exists()}


def _of_use(parts: tuple[str, ...]) -> bool:
    # `config-...` is for those who link programs with Python.
    return not LEFT_OUT.intersection(parts) and not parts[0].startswith("config-")


def _pip() -> dict[str, Path]:
    """The pip of the tests' own environment, where the bare interpreter finds it."""
    ask = "import site; print(site.getsitepackages()[0])"
    said = subprocess.run([_python(), "-I", "-c", ask], capture_output=True, text=True, check=True)
    source = Path(pip.__file__).parent
    files = [path for path in source.rglob("*") if path.is_file()]
    return {f"{said.stdout.strip()}/pip/{path.relative_to(source)}": path for path in files}


def _put(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name.lstrip("/"))
    entry.size, entry.mode = len(data), 0o644
    archive.addfile(entry, io.BytesIO(data))
