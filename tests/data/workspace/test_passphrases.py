"""New passphrases: short and common ones are refused, those of a few words pass."""

import pytest

from data.errors import InputError
from data.workspace.passphrases import check_passphrase


@pytest.mark.parametrize("text", ["", "hunter2", "four words", "with a zero\0 in it"])
def test_a_short_one_is_refused(text):
    with pytest.raises(InputError, match="12 characters"):
        check_passphrase(text)


@pytest.mark.parametrize(
    "text",
    [
        "password1234",
        "Password1234!",
        "P@ssw0rd 2026",
        "passwordpassword",
        "123456789012",
        "1 2 3 4 5 6 7 8 9",
        "210987654321",
        "qwertyuiop12",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabc",
        "abcdefghijklm",
        "tactmap 2026",
        "Tirana2009!!!",
        "fjalëkalimi1",
        "Shqipëria 2026",
        "κωδικός12345",
        "iloveyou1234",
        "1q2w3e4r5t6y7u8i",
        "zaq12wsxcde34rfv",
        "manchesterunited",
        "terre des hommes",
        "Amaro Drom 2009",
        "Durres2024Tirana",
        "Summer2024!Summer",
        "ΕΛΛΑΔΑ 2004!",
        "............",
    ],
)
def test_a_common_one_is_refused_and_not_repeated(text):
    with pytest.raises(InputError, match="everybody tries first") as refused:
        check_passphrase(text)
    assert text not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "correct horse battery",
        "tri fjalë të rastit",
        "a long enough green sentence",
        "τέσσερις τυχαίες λέξεις",
        "k7Qz!m2Vx9#L",
        "password of my green tractor",
        "a passphrase of more than a hundred characters, which a person may take from a song that nobody here knows",
    ],
)
def test_a_few_words_or_random_characters_pass(text):
    check_passphrase(text)


@pytest.mark.parametrize("text", ["Zamira Kelmendi", "zamira.kelmendi", "KelmendiZamira1", "Κελμένδη Ζαμίρα"])
def test_what_others_know_of_a_person_counts_as_common(text):
    check_passphrase(text)
    with pytest.raises(InputError, match="everybody tries first"):
        check_passphrase(text, known=["Zamira Kelmendi", "Ζαμίρα Κελμένδη"])
