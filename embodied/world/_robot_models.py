# pyright: reportAttributeAccessIssue=false
# (mujoco ships no type stubs)
"""Where models of robots come from: MuJoCo Menagerie, installed packages, URDF files."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from embodied.errors import ConfigurationError, EnvironmentMissingError

MESHES = (".stl", ".obj", ".msh")
"""What MuJoCo reads."""


def menagerie_path(name: str) -> Path:
    """Path of the MJCF file of a robot of MuJoCo Menagerie.

    Raises:
        ConfigurationError: Menagerie has no such robot.
        EnvironmentMissingError: Neither ``MENAGERIE_ROOT`` nor the package is there, or the
            download failed.
    """
    root = os.environ.get("MENAGERIE_ROOT")
    if root:
        folder = Path(root).expanduser() / name
        candidates = [p for p in sorted(folder.glob("*.xml")) if "scene" not in p.stem]
        if not candidates:
            known = sorted(p.name for p in Path(root).expanduser().glob("*/") if p.is_dir())
            raise ConfigurationError(
                f"no model {name!r} under MENAGERIE_ROOT={root}; it holds: {', '.join(known)}"
            )
        return min(candidates, key=lambda p: _variant_rank(name, p.stem))
    try:
        import mujoco_menagerie  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise EnvironmentMissingError(
            f"menagerie:{name} needs MuJoCo Menagerie: pip install mujoco-menagerie (downloads the"
            " model when first used), or set MENAGERIE_ROOT to a checkout of"
            " google-deepmind/mujoco_menagerie; --robot fr3 needs neither"
        ) from error
    if name not in mujoco_menagerie.names():
        raise ConfigurationError(
            f"MuJoCo Menagerie has no {name!r}; it has: {', '.join(mujoco_menagerie.names())}"
        )
    robot = mujoco_menagerie.get(name)
    entries = [e for e in robot.entry_names if "nohand" in e and "mjx" not in e]
    try:
        return Path(robot.xml(entries[0] if entries else robot.default_model))
    except Exception as error:  # whatever the downloader raises, the advice is the same
        raise EnvironmentMissingError(
            f"menagerie:{name} could not be downloaded ({error}); set MENAGERIE_ROOT to a checkout"
            " of google-deepmind/mujoco_menagerie to work without a network"
        ) from error


def _variant_rank(name: str, stem: str) -> tuple[bool, bool, bool, int]:
    """Order of a folder's models: arms without a hand first, then the one named like the folder."""
    return (
        "mjx" in stem or stem == "hand",
        "nohand" not in stem,
        not name.endswith(stem),
        len(stem),
    )


def package_path(name: str) -> Path:
    """Path of a file in an installed package: ``PACKAGE/path/in/it``; nothing is imported.

    Raises:
        EnvironmentMissingError: There is no such package.
        ConfigurationError: It has no such file.
    """
    package, _, inside = name.partition("/")
    folder = _package_folder(package)
    if folder is None:
        raise EnvironmentMissingError(f"package:{name}: no package {package!r} is installed")
    path = folder / inside
    if not path.is_file():
        files = (p for s in ("xml", "urdf") for p in folder.rglob(f"*.{s}"))
        models = sorted(p.relative_to(folder) for p in files)
        near = [p for p in models if Path(inside).stem in str(p)] or models
        raise ConfigurationError(
            f"package:{name}: {package} has no such file; models in it: "
            + ", ".join(map(str, near[:12]))
        )
    return path


def _package_folder(package: str) -> Path | None:
    try:
        found = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    places = None if found is None else found.submodule_search_locations
    return Path(next(iter(places))) if places else None


def urdf_text(path: Path, packages: Mapping[str, str], beside: Path) -> str:
    """A URDF with absolute paths of its meshes; pictures that MuJoCo cannot read are left out.

    Args:
        path: The file.
        packages: Folders of ROS packages by name, relative to ``beside``.
        beside: Folder of the description that names them.

    Raises:
        ConfigurationError: It cannot be read, or a package is not found.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise ConfigurationError(f"{path}: MuJoCo cannot load it: {error}") from error
    for link in root.iter("link"):
        for kind in ("visual", "collision"):
            for part in link.findall(kind):
                mesh = part.find("geometry/mesh")
                if mesh is None:
                    continue
                file = _mesh_path(mesh.get("filename", ""), path, packages, beside)
                if file.suffix.lower() in MESHES:
                    mesh.set("filename", str(file))
                elif kind == "visual":
                    link.remove(part)
                else:
                    raise ConfigurationError(
                        f"{path}: MuJoCo reads meshes in {', '.join(MESHES)}, not {file.name}"
                    )
    extension = root.find("mujoco")
    if extension is None:
        extension = ElementTree.SubElement(root, "mujoco")
    compiler = extension.find("compiler")
    if compiler is None:
        compiler = ElementTree.SubElement(extension, "compiler")
    for key, value in (("strippath", "false"), ("discardvisual", "false"), ("fusestatic", "false")):
        compiler.set(key, value)
    compiler.attrib.pop("meshdir", None)
    return ElementTree.tostring(root, "unicode")


def _mesh_path(name: str, path: Path, packages: Mapping[str, str], beside: Path) -> Path:
    if not name.startswith("package://"):
        return (path.parent / name.removeprefix("file://")).resolve()
    package, _, inside = name.removeprefix("package://").partition("/")
    if package in packages:
        return (beside / packages[package] / inside).resolve()
    for folder in path.resolve().parents:
        for candidate in (folder, folder / package):
            if candidate.name == package and candidate.is_dir():
                return candidate / inside
    folder = _package_folder(package)
    if folder is None:
        raise ConfigurationError(
            f"{path}: {name} names the package {package!r}, which is no folder above the file and"
            f" not installed: write [packages] {package} = 'FOLDER' in a description beside it"
        )
    return folder / inside


def urdf_limits(path: Path) -> Mapping[str, tuple[float, float]]:
    """Velocity (rad/s) and effort (N m) that a URDF states, by joint."""
    found: dict[str, tuple[float, float]] = {}
    for joint in ElementTree.parse(path).getroot().iter("joint"):
        limit = joint.find("limit")
        if limit is not None:
            speed, effort = (float(limit.get(k, 0.0)) for k in ("velocity", "effort"))
            found[joint.get("name", "")] = speed, effort
    return found
