"""The shipped configs. The wheel holds them in this folder; a checkout holds them in `configs/`.

A config file of your own may start from one of them: `from jaxspot.configs import default`.
"""

import textwrap
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any

from jaxspot.errors import UserError

HERE = Path(__file__).parent
FOLDER = HERE if (HERE / "default.py").is_file() else HERE.parents[1] / "configs"
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("[!_]*.py")))
__path__ = [str(FOLDER)]


def load_config(text: str) -> Any:
    """The settings of a config.

    Args:
      text: `synthetic` or `synthetic:best`, a shipped config and its arguments; or the path of a
        `.py` file in place of the name.

    Raises:
      UserError: there is no such config, or it does not know an argument.
    """
    name, _, arguments = text.partition(":")
    module = config_module(name)
    return module.get_config(arguments) if arguments else module.get_config()


def config_module(name: str) -> ModuleType:
    """A config file as a module; from any folder, it can import the shipped ones as its siblings.

    Raises:
      UserError: there is no such config.
    """
    path = FOLDER / f"{name}.py" if name in NAMES else Path(name)
    if path.suffix != ".py" or not path.is_file():
        raise UserError(f"no config {name!r}; take {', '.join(NAMES)}, or the path of a .py file")
    spec: Any = util.spec_from_file_location(f"{__name__}.{path.stem}", path)
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def describe_configs() -> str:
    """Name, purpose and arguments of every shipped config."""
    lines = []
    for name in NAMES:
        module = config_module(name)
        arguments = ", ".join(getattr(module, "ARGUMENTS", ()))
        indent = " " * 13
        lines.append(f"  {name:10} {str(module.__doc__).splitlines()[0]}")
        lines.append(textwrap.fill(arguments, 100, initial_indent=indent, subsequent_indent=indent))
    return "\n".join(lines)
