"""What requirements.txt pins, and what is wrong with it. No function here looks at the machine but `installed`."""

import re
from dataclasses import dataclass
from importlib import metadata

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name as canonical

# The systems and Pythons that the README names; the marker variables that tell them apart.
SYSTEMS = {
    "Linux": {"sys_platform": "linux", "os_name": "posix", "platform_system": "Linux"},
    "macOS": {"sys_platform": "darwin", "os_name": "posix", "platform_system": "Darwin"},
    "Windows": {"sys_platform": "win32", "os_name": "nt", "platform_system": "Windows"},
}
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]


@dataclass(frozen=True)
class Pin:
    """One package of the lock: `name[extras]==version ; marker`, and its hashes."""

    requirement: Requirement
    hashes: tuple

    @property
    def name(self):
        return canonical(self.requirement.name)

    @property
    def version(self):
        return next(iter(self.requirement.specifier)).version


def entries(text):
    """The lines of a lock that say something, each with its continuation lines."""
    joined = re.sub(r"\\\n", " ", text)
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in joined.splitlines())
    return [line for line in lines if line]


def read(text):
    """The pins of a lock. An option of pip among them is not one: `not_a_pin` finds it."""
    pins = []
    for entry in entries(text):
        if not entry.startswith("-"):
            requirement, *hashes = re.split(r"\s+--hash=", entry)
            pins.append(Pin(Requirement(requirement), tuple(hashes)))
    return pins


def here():
    """The marker variables of this machine."""
    return dict(default_environment())


def everywhere():
    """Name and marker variables of each machine that the lock is for."""
    for system, variables in SYSTEMS.items():
        for python in PYTHONS:
            name = f"{system}, Python {python}"
            yield name, {**here(), **variables, "python_version": python, "python_full_version": f"{python}.9"}


def installed():
    """name -> (version, requirements), of every package in this environment."""
    return {
        canonical(package.metadata["Name"]): (package.version, tuple(package.requires or ()))
        for package in metadata.distributions()
    }


def valid(pins, environment):
    """name -> pin, of the pins that count on such a machine."""
    return {p.name: p for p in pins if p.requirement.marker is None or p.requirement.marker.evaluate(environment)}


def wanted(requirements, extras, environment):
    """Those requirements that a package with these extras has on such a machine."""
    for text in requirements:
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({**environment, "extra": extra}) for extra in ("", *extras)):
            yield requirement


# --- judges: each returns sentences, none when all is well ---------------------------------


def not_a_pin(text):
    """Entries that are no exact pin with hashes, or that say where to fetch a package from."""
    found = []
    for entry in entries(text):
        if entry.startswith("-") or re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host|\s@\s", entry):
            found.append(f"{entry.split()[0]} names an index or an address, or is an option of pip")
        elif not re.match(r"[\w.-]+(\[[\w,.-]+\])?==[\w.!+]+(\s|$)", entry):
            found.append(f"{entry.split('--hash')[0].strip()} is not pinned to one version")
        elif not re.search(r"--hash=sha256:[0-9a-f]{64}(\s|$)", entry):
            found.append(f"{entry.split()[0]} has no hash")
    return found


def unmet(pins, packages, environment, root="gmmlib", root_extras=()):
    """What packages of the lock, or the root, require and the pins do not give on such a machine.

    A package speaks only where the lock pins the version that is installed here.
    """
    locked = valid(pins, environment)
    found = []
    for name, (version, requirements) in sorted(packages.items()):
        if name == root:
            extras = root_extras
        elif name in locked and locked[name].version == version:
            extras = locked[name].requirement.extras
        else:
            continue
        for requirement in wanted(requirements, extras, environment):
            if canonical(requirement.name) == root:
                continue  # its extras name each other, and all are asked for
            pin = locked.get(canonical(requirement.name))
            if pin is None:
                found.append(f"{name} requires {requirement}, which is not pinned")
            elif missing := requirement.extras - pin.requirement.extras:
                found.append(f"{name} requires {requirement}, but {pin.name} is pinned without [{','.join(missing)}]")
            elif not requirement.specifier.contains(pin.version, prereleases=True):
                found.append(f"{name} requires {requirement}, but {pin.name} is pinned to {pin.version}")
    return found


def unlike(pins, packages, environment):
    """Packages of the lock that are not installed here in the version it pins."""
    found = []
    for name, pin in sorted(valid(pins, environment).items()):
        version = packages.get(name, ("nothing", ()))[0]
        if version != pin.version:
            found.append(f"{name} is pinned to {pin.version} and {version} is installed")
    return found
