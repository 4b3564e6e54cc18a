"""md5_of and verify: a file is the published one, or refused by name."""

from __future__ import annotations

import pytest

from circuitsim.data.checksum import md5_of, verify
from circuitsim.errors import DataError

MD5_OF_ABC = "900150983cd24fb0d6963f7d28e17f72"  # RFC 1321, A.5


@pytest.fixture
def abc(tmp_path):
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    return path


def test_the_sum_is_that_of_the_standard(abc):
    assert md5_of(abc) == MD5_OF_ABC
    verify(abc, MD5_OF_ABC)


def test_another_file_is_refused_with_both_sums_and_its_size(abc):
    abc.write_bytes(b"ab")
    with pytest.raises(
        DataError,
        match=rf"{abc} is damaged, .*\(2 bytes with md5 187ef4436122d1cc2f40dc2b92f0eba0 instead of {MD5_OF_ABC}",
    ):
        verify(abc, MD5_OF_ABC)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(DataError, match=f"{tmp_path} cannot be read: .*directory"):
        verify(tmp_path, MD5_OF_ABC)
