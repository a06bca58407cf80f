"""Submissions that ODK Collect encrypted, published by ODK, are opened bit for bit; what was changed is not opened."""

import base64
import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from data.restricted.forms import opening
from data.restricted.forms.opening import CannotOpen
from tests.helpers.paths import ROOT

PLACE = ROOT / "tests/reference/encrypted_forms"
CENTRAL = json.loads((PLACE / "central.json").read_text())


def read_key(name):
    return load_pem_private_key((PLACE / name).read_bytes(), None)


@pytest.fixture(scope="module")
def briefcase():
    envelope = opening.read_envelope((PLACE / "briefcase-form-submission.xml").read_bytes())
    files = {"submission.xml.enc": (PLACE / "briefcase-form-submission.xml.enc").read_bytes()}
    return read_key("briefcase-form-key.pem"), envelope, files


def test_the_key_and_the_initial_vectors_are_those_of_central():
    key, ivs = CENTRAL["key"], CENTRAL["ivs"]
    opened = opening.decrypt_key(read_key("central-key.pem"), key["encrypted"])
    assert base64.b64encode(opened).decode() == key["opened"]
    secret = base64.b64decode(ivs["key"])
    for index, wanted in ivs["by_index"].items():
        assert opening.derive_iv(secret, ivs["submission"], int(index) + 1).hex() == wanted


def test_a_submission_of_central_is_opened_bit_for_bit():
    case = CENTRAL["submission"]
    secret = opening.decrypt_key(read_key("central-key.pem"), case["key"])
    content = base64.b64decode(case["content"])
    assert opening.decrypt_file(secret, case["id"], 2, content).decode() == case["opened"]
    answers = opening.read_answers(case["opened"].encode())
    assert answers == {"name": "bob", "age": "30", "file": "1561432532482.jpg"}


def test_a_submission_of_briefcase_is_opened_and_its_signature_fits(briefcase):
    key, envelope, files = briefcase
    content = opening.open_submission([key], envelope, files)
    assert opening.read_answers(content) == {"name": "Guillermo"}
    assert envelope.submission == "uuid:494cd080-3bf4-47be-b40f-c706a950d58a"


def test_the_xml_after_two_pictures_is_opened():
    envelope = opening.read_envelope((PLACE / "briefcase-form-media-submission.xml").read_bytes())
    secret = opening.decrypt_key(read_key("briefcase-form-key.pem"), envelope.key)
    content = (PLACE / "briefcase-form-media-submission.xml.enc").read_bytes()
    answers = opening.read_answers(opening.decrypt_file(secret, envelope.submission, len(envelope.media) + 1, content))
    assert answers["name"] == "My name"


@pytest.mark.parametrize("part", ["form", "version", "submission", "signature", "content"])
def test_a_changed_part_is_refused(briefcase, part):
    key, envelope, files = briefcase
    if part == "content":
        cipher = bytearray(files["submission.xml.enc"])
        cipher[20] ^= 1
        files = {"submission.xml.enc": bytes(cipher)}
    else:
        envelope = replace(envelope, **{part: envelope.key if part == "signature" else "other"})
    with pytest.raises(CannotOpen) as error:
        opening.open_submission([key], envelope, files)
    assert error.value.why == "damaged"


@pytest.mark.parametrize("length", [0, 5, 31, 33])
def test_a_key_of_another_length_is_damage_of_this_submission_alone(briefcase, length):
    key, envelope, files = briefcase
    sent = base64.b64encode(key.public_key().encrypt(b"k" * length, opening._OAEP)).decode()
    with pytest.raises(CannotOpen) as error:
        opening.open_submission([key], replace(envelope, key=sent), files)
    assert error.value.why == "damaged"


def test_another_key_does_not_open_and_the_right_one_is_searched(briefcase):
    key, envelope, files = briefcase
    other = generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(CannotOpen) as error:
        opening.open_submission([other], envelope, files)
    assert error.value.why == "key"
    assert opening.open_submission([other, key], envelope, files) == opening.open_submission([key], envelope, files)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"<data id='tact_encounter'><child_id>K-1</child_id></data>", "readable"),
        (b"<data encrypted='yes'/>", "damaged"),
        (b"<!DOCTYPE d [<!ENTITY a 'b'>]><data encrypted='yes'>&a;</data>", "damaged"),
        ("<!DOCTYPE d [<!ENTITY a 'b'>]><data encrypted='yes'>&a;</data>".encode("utf-16"), "damaged"),
        (b"no XML", "damaged"),
    ],
)
def test_what_is_no_envelope_is_told(content, why):
    with pytest.raises(CannotOpen) as error:
        opening.read_envelope(content)
    assert error.value.why == why
