"""Passphrase and code: published vectors, the real cost of a hash, and what does not count as proof."""

import time
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from data.accounts import proof

# RFC 6238, appendix B, SHA-1; of its eight digits the last six.
SEED = b"12345678901234567890"
VECTORS = [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"),
           (2000000000, "279037"), (20000000000, "353130")]  # fmt: skip


@pytest.mark.parametrize(("moment", "code"), VECTORS)
def test_codes_are_those_of_the_standard(moment, code):
    assert proof.make_code(SEED, moment) == code
    assert proof.find_step(SEED, f" {code[:3]} {code[3:]}", moment) == moment // 30


def test_a_code_holds_one_step_before_and_after_and_no_longer():
    code = proof.make_code(SEED, 3000)
    assert [proof.find_step(SEED, code, moment) for moment in (2970, 3000, 3030)] == [100, 100, 100]
    assert [proof.find_step(SEED, code, moment) for moment in (2939, 3061)] == [None, None]


@pytest.mark.parametrize("code", ["", "287", "2870820", "ë87082", "\ud800"])
def test_what_is_no_code_is_refused(code):
    assert proof.find_step(SEED, code, 59) is None


def test_nobody_without_a_factor_has_a_code():
    assert proof.find_step(None, proof.make_code(bytes(20), 59), 59) is None


@pytest.mark.slow
def test_a_passphrase_costs_what_the_standard_says_and_its_letters_may_be_typed_in_any_way():
    stored = proof.hash_passphrase("fjalë të gjata këtu")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert proof.is_passphrase("fjale\u0308 te\u0308 gjata ke\u0308tu", stored)
    assert not proof.is_passphrase("fjale te gjata ketu", stored)


@pytest.mark.slow
def test_a_name_that_nobody_has_takes_as_long():
    stored = proof.hash_passphrase("x")
    proof.is_passphrase("x", None)
    took = []
    for known in (stored, None):
        start = time.perf_counter()
        assert not proof.is_passphrase("y", known)
        took.append(time.perf_counter() - start)
    assert min(took) > 0.02, "both hash"


def test_an_app_reads_the_link():
    parts = urlsplit(proof.write_factor_link(SEED, "Elira Hoxha & co"))
    assert (parts.scheme, parts.netloc, unquote(parts.path)) == ("otpauth", "totp", "/TACT Map:Elira Hoxha & co")
    assert parse_qs(parts.query) == {"secret": ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"], "issuer": ["TACT Map"]}
