"""What the controls of a profile say, read from Ruby or from an export."""

import json
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.control import ControlText
from ops.console import CommandError
from ops.controls import PROFILE, TEXT, controls_in_vendor, encode_controls, read_controls

RUBY = r"""
# frozen_string_literal: true
root = command('id -u').stdout.strip == '0'

control 'plain-1' do
  impact 1.0
  title 'A must B'
  desc 'One line.'
  desc 'rationale', 'Why.'
  desc 'check', 'How to look.'
  desc 'fix', 'Do it.'
  tag nist: ['AC-6']
  only_if('no') { root }
  describe file('/x') do
    it { should exist }
    desc 'not of the control'
  end
end

control "joined" do
  desc 'Two parts: ' \
       "one\tand\n two"
  desc :fix, %q{Set "x" to 'y'
    and reload.}
end

control 'heredocs' do
  desc <<~EOT
    Set #{value} of
      the "first".
  EOT
  desc 'fix', <<~'FIX'.strip
    Do \this.
  FIX
end

if root
  control 'nested' do
    desc 'It\'s inside'
  end
end

control 'without-texts' do
  title 'A'
  describe('x') { it { should eq 'x' } }
end
"""
EXPECTED = {
    "plain-1": ControlText("One line.", "Do it."),
    "joined": ControlText("Two parts: one and two", "Set \"x\" to 'y' and reload."),
    "heredocs": ControlText('Set of the "first".', "Do \\this."),
    "nested": ControlText("It's inside"),
}


def write_profile(folder: Path, ruby: str = RUBY) -> Path:
    controls = folder / "controls" / "deep"
    controls.mkdir(parents=True)
    (controls / "all.rb").write_text(ruby, encoding="utf-8")
    (folder / "libraries").mkdir()
    (folder / "libraries" / "x.rb").write_text("control 'library' do\n  desc 'A'\nend\n")
    return folder


def test_the_controls_of_our_profile_all_say_how_to_mend() -> None:
    controls = read_controls(PROFILE)

    assert len(controls) == 33
    assert all(each.description and each.fix for each in controls.values())
    assert not any("\n" in each.description + each.fix for each in controls.values())


def test_every_way_to_write_a_text_in_ruby_is_read(tmp_path: Path) -> None:
    assert read_controls(write_profile(tmp_path)) == EXPECTED


def test_a_long_text_is_cut(tmp_path: Path) -> None:
    profile = write_profile(tmp_path, f"control 'a' do\n  desc '{'x' * 3 * TEXT}'\nend\n")

    (text,) = read_controls(profile).values()
    assert (len(text.description), text.description[-1]) == (TEXT, "…")


def make_control(**fields: Any) -> dict[str, Any]:
    return {"id": "a-1", "title": "A", "impact": 0.5, "code": "control 'a-1' do\nend\n", **fields}


@pytest.mark.parametrize(
    "controls",
    [
        [make_control(desc="What", descriptions={"default": "What", "fix": "How"})],
        [make_control(desc=None, descriptions={"default": "What", "fix": "How"})],
        [make_control(descriptions=[{"label": "default", "data": "What"},
                                    {"label": "fix", "data": "How"}])],
        [make_control(desc="What\n", tags={"fix": " How"})],
        {"a-1": make_control(desc="What", descriptions={"fix": "How"})},
        [make_control(desc="What", descriptions={"fix": "How"}), make_control(id="b")],
    ],
)  # fmt: skip
def test_an_exported_profile_is_read(tmp_path: Path, controls: Any) -> None:
    file = tmp_path / "profile.json"
    file.write_text(json.dumps({"name": "x", "controls": controls}))

    assert read_controls(file) == {"a-1": ControlText("What", "How")}


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"controls": 1}', '{"controls": [1]}', '{"controls": [{"id": "a"}]}',
     '{"controls": [{"title": "no id"}]}', '{"controls": [{"id": "a", "descriptions": [1]}]}'],
)  # fmt: skip
def test_a_file_that_is_no_profile_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    file = tmp_path / "profile.json"
    file.write_text(content)

    with pytest.raises(CommandError) as refused:
        read_controls(file)

    assert str(file) in str(refused.value)
    assert "`inspec json`" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_folder_without_controls_and_one_that_is_missing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"has no control with a description or a fix"):
        read_controls(tmp_path)
    with pytest.raises(CommandError, match="does not exist"):
        read_controls(tmp_path / "missing")


def test_the_texts_lie_in_vendor_only_while_a_package_is_built(tmp_path: Path) -> None:
    write_profile(tmp_path / "inspec")
    file = tmp_path / "vendor" / "controls.json"

    with controls_in_vendor(tmp_path):
        assert file.read_bytes() == encode_controls(EXPECTED)

    assert not file.parent.exists()


def test_what_else_is_in_vendor_stays_and_what_a_killed_run_left_goes(tmp_path: Path) -> None:
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "own.py").touch()
    (tmp_path / "vendor" / "controls.json").touch()

    with controls_in_vendor(tmp_path):
        # this checkout has no profile
        assert [each.name for each in (tmp_path / "vendor").iterdir()] == ["own.py"]

    write_profile(tmp_path / "inspec")
    with pytest.raises(RuntimeError), controls_in_vendor(tmp_path):
        raise RuntimeError
    assert [each.name for each in (tmp_path / "vendor").iterdir()] == ["own.py"]


@pytest.mark.parametrize(
    "computed",
    [
        "cond ? 'yes' : 'no'",
        "input('t', value: 'x')",
        "texts['b']",
        "<<~Q.gsub(/x/, 'y')\n    xxx\n  Q",
    ],
)
def test_a_computed_text_is_left_out(tmp_path: Path, computed: str) -> None:
    ruby = f"control 'a' do\n  desc {computed}\n  desc 'fix', 'F'\nend\n"

    assert read_controls(write_profile(tmp_path, ruby)) == {"a": ControlText("", "F")}


@pytest.mark.parametrize("later", ["impact 0.1", "desc 'fix', 'F'"])
def test_a_later_block_of_a_control_adds_to_it(tmp_path: Path, later: str) -> None:
    ruby = (
        "control 'a' do\n  desc 'D'\n  desc 'fix', 'F'\nend\n"
        f"include_controls 'x' do\n  control 'a' do\n    {later}\n  end\nend\n"
    )

    assert read_controls(write_profile(tmp_path, ruby)) == {"a": ControlText("D", "F")}


def test_what_is_no_file_is_left_out(tmp_path: Path) -> None:
    profile = write_profile(tmp_path)
    (profile / "controls" / ".#lock.rb").symlink_to("nobody@host")
    (profile / "controls" / "folder.rb").mkdir()

    assert read_controls(profile) == EXPECTED


def test_json_that_is_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "profile.json"
    file.write_text('{"controls": ' + "[" * 100_000)

    with pytest.raises(CommandError, match="inspec json"):
        read_controls(file)


def test_half_a_surrogate_pair_can_be_written(tmp_path: Path) -> None:
    file = tmp_path / "profile.json"
    file.write_text('{"controls": [{"id": "a", "desc": "\\ud800x"}]}')

    assert encode_controls(read_controls(file)) == b'{"a":{"description":"?x","fix":""}}'


def test_ruby_that_is_nested_too_deeply_is_named(tmp_path: Path) -> None:
    profile = write_profile(tmp_path, f"x = {'(' * 3_000}1{')' * 3_000}\n")

    with pytest.raises(CommandError, match=r"all\.rb"):
        read_controls(profile)
