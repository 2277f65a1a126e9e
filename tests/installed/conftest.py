"""The project as a stranger gets it: built into archives and installed."""

from __future__ import annotations

import sys
import sysconfig
import tarfile
from pathlib import Path

import pytest

from tests.installed.packing import ROOT, build, call


@pytest.fixture(scope="session")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("package")


@pytest.fixture(scope="session")
def hatchling(workplace: Path) -> Path:
    """A folder with the build backend, which nothing else needs to have installed."""
    target = workplace / "hatchling"
    pip: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    call([*pip, "--target", target, "hatchling>=1.27"], folder=workplace)
    return target


@pytest.fixture(scope="session")
def sdist(workplace: Path, hatchling: Path) -> Path:
    return build(ROOT, "sdist", workplace / "sdist", hatchling)


@pytest.fixture(scope="session")
def wheel(workplace: Path, hatchling: Path) -> Path:
    return build(ROOT, "wheel", workplace / "wheel", hatchling)


@pytest.fixture(scope="session")
def unpacked(sdist: Path, workplace: Path) -> Path:
    with tarfile.open(sdist) as archive:
        archive.extractall(workplace / "unpacked", filter="data")
    [folder] = (workplace / "unpacked").iterdir()
    return folder


@pytest.fixture(scope="session")
def installed(wheel: Path, workplace: Path) -> Path:
    """The folder of programs of an environment with the wheel; it borrows the dependencies."""
    venv = workplace / "venv"
    call([sys.executable, "-m", "venv", "--without-pip", venv], folder=workplace)
    place = {"base": str(venv), "platbase": str(venv)}
    # Named in a .pth file, our own site-packages give their libraries but not their .pth files,
    # so that the sources of this test are out of sight.
    borrowed = Path(sysconfig.get_path("purelib", vars=place)) / "borrowed.pth"
    borrowed.write_text(sysconfig.get_path("purelib") + "\n")
    programs = Path(sysconfig.get_path("scripts", vars=place))
    pip: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        programs / "python",
        "install",
        "--quiet",
    ]
    flags = ["--disable-pip-version-check", "--no-deps", "--ignore-installed"]
    call([*pip, *flags, wheel], folder=workplace)
    return programs
