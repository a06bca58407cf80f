"""Messages: what an error says can be said in another language."""

import ast
import pickle

import pytest

from data import errors
from data.message import Message, join_messages, list_messages, shorten
from scripts import messages
from tests.helpers.paths import ROOT

# The rooms whose errors can be read at the desk.
ROOMS = (
    "disclosure/attacks/audit.py",
    "disclosure/cell_key.py",
    "disclosure/policy.py",
    "disclosure/policy_file.py",
    "disclosure/reconciliation.py",
    "errors.py",
    "release",
    "restricted",
    "tables/grid.py",
    "workspace/__init__.py",
    "workspace/files.py",
    "workspace/passphrases.py",
)
# What only commands reach, in English.
COMMANDS = {
    "release/signed_list.py",
    "restricted/bulk_counts.py",
    "restricted/server_copy.py",
    "restricted/vault/rotation.py",
}
DATA = ROOT / "data"
TREES = {
    file.relative_to(DATA).as_posix(): ast.parse(file.read_text(encoding="utf-8"))
    for file in sorted(DATA.rglob("*.py"))
}
BUILDERS = {"Message", "join_messages"}


def find_nodes(kind):
    return [node for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, kind)]


def name_of(call):
    function = getattr(call, "func", None)
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def find_makers():
    """Return the names of what returns a message, or is one."""
    functions = [node for node in find_nodes(ast.FunctionDef) if node.returns]
    named = {ast.unparse(node.targets[0]) for node in find_nodes(ast.Assign) if name_of(node.value) == "Message"}
    return BUILDERS | named | {node.name for node in functions if ast.unparse(node.returns) == "Message"}


def find_errors():
    """Return the names of all errors that a person reads."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    names = {kind.__name__ for kind in kinds if issubclass(kind, errors.TactError)}
    classes = {node.name: {ast.unparse(base) for base in node.bases} for node in find_nodes(ast.ClassDef)}
    while more := {name for name, bases in classes.items() if bases & names} - names:
        names |= more
    return names


def is_message(node, function, makers):
    """Return whether an expression in a function is a message, whatever the values are."""
    if isinstance(node, ast.IfExp):
        return is_message(node.body, function, makers) and is_message(node.orelse, function, makers)
    if isinstance(node, ast.Call):
        return name_of(node) in makers
    if isinstance(node, ast.Attribute):
        return node.attr == "message"
    if not isinstance(node, ast.Name) or function is None:
        return False
    if node.id.isupper():
        return node.id in makers
    parameters = [arg for arg in function.args.args if arg.arg == node.id]
    stored = [
        part.value
        for part in ast.walk(function)
        if isinstance(part, ast.Assign) and any(ast.unparse(target) == node.id for target in part.targets)
    ]
    typed = all(ast.unparse(arg.annotation) == "Message" for arg in parameters)
    return bool(parameters or stored) and typed and all(is_message(value, function, makers) for value in stored)


def find_plain(tree, makers, raised):
    """List the lines of a module in which an error is made of a text that is no message."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    inside = {id(part): function for function in functions for part in ast.walk(function)}
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and name_of(n) in raised and n.args]
    return [call.lineno for call in calls if not is_message(call.args[0], inside.get(id(call)), makers)]


@pytest.mark.slow
def test_what_an_error_says_can_be_translated():
    makers, raised = find_makers(), find_errors()
    assert {"FileRefused", "WrongKey"} <= raised
    rooms = {name: tree for name, tree in TREES.items() if name.startswith(ROOMS) and name not in COMMANDS}
    plain = {name: find_plain(tree, makers, raised) for name, tree in rooms.items()}
    assert len(plain) > 10
    assert not {name: lines for name, lines in plain.items() if lines}


def test_a_plain_text_is_found():
    tree = ast.parse(
        "def a(name):\n    raise InputError(f'No {name}.')\n"
        "def b():\n    msg = 'No.'\n    raise InputError(msg)\n"
        "def c(msg: Message):\n    raise InputError(msg)\n"
        "def d():\n    raise InputError(Message('No.') if 1 else 'Yes.')\n"
    )
    assert find_plain(tree, BUILDERS, {"InputError"}) == [2, 5, 9]


@pytest.mark.slow
def test_each_template_of_data_is_a_message_of_the_catalogues():
    """A template that is put together while the program runs would be in no catalogue."""
    unknown, known = [], set(messages.list_messages("data"))
    for call in (node for node in find_nodes(ast.Call) if name_of(node) == "Message"):
        texts = {part.value for part in ast.walk(call.args[0]) if isinstance(part, ast.Constant)}
        if not texts & known:
            unknown.append(ast.unparse(call))
    # In the module of messages itself a template is built from the texts that are joined; the names of what a text
    # gives away, and what a form server answers, are marked where they are defined.
    assert sorted(call.partition(",")[0] for call in unknown) == [
        "Message(_PROBLEMS[why]",
        "Message(between.join((f'{{{name}}}' for name in values))",
        "Message(sort)",
        "Message(template",
        "Message(text",
    ]


def test_an_error_says_in_english_what_it_always_said():
    error = errors.WrongKey(Message("The passphrase does not open {file!r}, {count:,}.", file="a.b", count=1200))
    assert str(error) == "The passphrase does not open 'a.b', 1,200."
    assert type(error.message) is Message
    assert pickle.loads(pickle.dumps(error)).message.values == {"file": "a.b", "count": 1200}


def test_messages_are_joined_and_stay_messages():
    first = Message("No {what}.", what="file")
    joined = join_messages([first, "", Message("Wait.")])
    assert joined == "No file. Wait."
    assert list(joined.values.values()) == [first, "Wait."]
    assert join_messages([]) == ""


def test_lists_of_messages_are_sentences_and_stay_messages():
    assert [list_messages("abc"[:count]) for count in (1, 2, 3)] == ["a", "a and b", "a, b and c"]
    message = Message("No {what}.", what="file")
    assert list_messages([message, message]).values["last"] is message
    assert [shorten("abc", most) for most in (1, 2, 3)] == ["a and 2 more", "a, b and 1 more", "a, b, c"]
    assert shorten(["a"] * 1500, 1, "; ").values["count"] == 1499


@pytest.mark.parametrize("there", [True, False])
def test_a_file_of_a_release_is_missing_or_damaged(tmp_path, there):
    path = tmp_path / "a.json"
    if there:
        path.write_text("")
    fault = "is damaged or was changed" if there else "is missing"
    assert str(errors.ReleaseDamaged.of_file(path, "Do.")) == f"{path} {fault}. Do."
