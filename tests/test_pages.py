"""README and docs: short enough, and nothing that they name is missing."""

import ast
import importlib
import importlib.util
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

import jaxspot
from configs import default

ROOT = Path(__file__).parents[1]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
}
LINK = re.compile(r"(?<!\])\[[^\]]*\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"")
SPAN = re.compile(r"`([^`\n]+)`")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)

pages = pytest.mark.parametrize("name", PAGES)
faultless = pytest.mark.parametrize("name", sorted(PAGES.keys() - {"docs/inputs.md"}))
"""Without the page of mistakes."""


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub and mkdocs make them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.M)
    return {re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", h).strip().lower()) for h in headings}


def commands(text: str) -> list[str]:
    """Commands of the fenced blocks, lines that go on joined."""
    blocks = "\n".join(body for language, body in FENCE.findall(text) if not language)
    return [*blocks.replace("\\\n", " ").splitlines()]


def test_the_readme_is_short():
    assert len(PAGES["README.md"].splitlines()) <= 220


@pages
def test_every_relative_link_leads_somewhere(name):
    for target in ("".join(found) for found in LINK.findall(PAGES[name])):
        if re.match(r"https?:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        assert file.is_file(), target
        assert not anchor or anchor in anchors(file.read_text(encoding="utf-8")), target


@pages
def test_every_file_of_the_repository_that_is_named_is_there(name):
    words = " ".join(SPAN.findall(PAGES[name]) + commands(PAGES[name])).split()
    paths = [re.split(r"[:,]", word.rpartition("=")[2])[0] for word in words]
    known = ("jaxspot/", "configs/", "launch/", "tests/", "docs/")
    for path in (path for path in paths if path.startswith(known)):
        assert (ROOT / path).exists(), path


@faultless
def test_every_setting_that_is_named_exists(name):
    config, text = default.paper(), PAGES[name]
    named = re.findall(r"--config\.([\w.]+)", text)
    sections = "|".join(key for key in config if not isinstance(config[key], tuple | int))
    named += re.findall(rf"`((?:{sections})\.\w+)", text)
    for setting in named:
        value = config
        for part in setting.split("."):
            assert part in value, setting
            value = value[part]


@faultless
def test_every_config_that_is_named_can_be_read_with_its_arguments(name):
    named = r"(?:configs/(\w+)\.py|--config=(\w+)):(\w+(?:,\w+)*)"
    for file, short, arguments in re.findall(named, PAGES[name]):
        importlib.import_module(f"configs.{file or short}").get_config(arguments)


@pages
def test_every_make_target_that_is_named_exists(name):
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    text = PAGES[name]
    named = re.findall(r"`make ([a-z]+)`", text) + re.findall(
        r"^(?:time )?make ([a-z]+)", text, re.M
    )
    assert set(named) <= set(targets)


@pages
def test_every_name_that_is_imported_is_public(name):
    for language, body in FENCE.findall(PAGES[name]):
        nodes = ast.walk(ast.parse(body)) if language == "python" else ()
        for node in (node for node in nodes if isinstance(node, ast.ImportFrom)):
            assert node.module == "jaxspot"
            assert {alias.name for alias in node.names} <= set(jaxspot.__all__)


def test_every_function_of_the_method_page_is_in_the_file_beside_it():
    rows = re.findall(r"^\|.*\|.*\| (`.*\.py`) \| (.*`.*) \|$", PAGES["docs/method.md"], re.M)
    assert len(rows) > 15
    for files, functions in rows:
        source = "".join((ROOT / file).read_text(encoding="utf-8") for file in SPAN.findall(files))
        for function in SPAN.findall(functions):
            assert re.search(rf"^(?:def|class) {function}\b", source, re.M), function


def test_the_api_page_has_every_public_name():
    spec = importlib.util.spec_from_file_location("hooks", ROOT / "docs" / "hooks.py")
    assert spec and spec.loader
    hooks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hooks)
    page = lambda uri: SimpleNamespace(file=SimpleNamespace(src_uri=uri))
    filled = hooks.on_page_markdown(PAGES["docs/api.md"], page=page("api.md"))
    assert sorted(re.findall(r"^::: jaxspot\.(\w+)$", filled, re.M)) == sorted(jaxspot.__all__)
    assert len(re.findall(r"^## ", filled, re.M)) == 7
    assert hooks.on_page_markdown("text", page=page("index.md")) == "text"
