"""Files by id are refused by name, files by value are not its business."""

from conflux.dialects import DIALECTS
from conflux.dialects.strict_json import encode
from conflux.neutral.errors import Kind
from conflux.neutral.request import Need
from conflux.policy.stored_files import check_stored_files
from tests.policy.samples import case, envelope, refusal


def test_a_file_id_is_refused_by_name() -> None:
    found = refusal(check_stored_files, case(asks=envelope(needs=frozenset({Need.FILES, Need.STORED_FILES}))))
    assert found is not None and found.kind is Kind.UNSUPPORTED and "file_id" in found.message
    assert found.param == "messages"


def test_a_file_that_comes_along_passes() -> None:
    assert refusal(check_stored_files, case(asks=envelope(needs=frozenset({Need.FILES})))) is None


def test_the_dialect_tells_the_two_apart() -> None:
    def needs(file: dict[str, str]) -> frozenset[Need]:
        part = {"type": "file", "file": file}
        return DIALECTS["openai-chat"].open(encode({"messages": [{"role": "user", "content": [part]}]})).needs

    assert Need.STORED_FILES in needs({"file_id": "file-1"})
    assert needs({"file_data": "data:application/pdf;base64,AA=="}) == frozenset({Need.FILES})
