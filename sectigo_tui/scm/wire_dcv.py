"""Domain control validation as SCM's JSON has it, and as the domain knows it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, OnErrorOmit, TypeAdapter, model_validator

from sectigo_tui.domain.validation import NOTHING_ASKED, DcvCheck, DcvLog, DcvProof, DomainValidation
from sectigo_tui.scm.wire_fields import LATER, NeededText, Record, Records, Text, Usable, When, Whole, Wire, records


def log_blocks(value: object) -> list[Any]:
    """Return the log as blocks of an error and lines, whichever way it was sent.

    Source: an object in SCM manual 25.5, an array in OpenAPI 25.9 (of blocks or of lines: both are accepted).
    """
    found = records(value)
    blocks = [item for item in found if "log" in item or "error" in item]
    return blocks or [{"log": found}]


class WireDcvLine(Wire):
    """One domain's line in an order's log."""

    domain_name: Text = ""
    dcv_status: Text = ""
    last_check: When = None
    next_check: When = None
    dcv_date: When = None


class WireDcvError(Wire):
    """The CA's error about an order's validation; code 0 is none."""

    code: Whole = None
    description: Text = ""

    @property
    def holds_something(self) -> bool:
        """Whether there is an error."""
        return self.code not in (None, 0) or (self.code is None and self.description != "")


class WireDcvBlock(Wire):
    """An error and lines."""

    error: Annotated[WireDcvError, Record] = Field(default_factory=WireDcvError)
    log: Annotated[list[WireDcvLine], Records] = Field(default_factory=list)


class WireDcvInstruction(Wire):
    """What one domain's owner must publish."""

    domain_name: Text = ""
    dcv_mode: Text = ""
    host: Text = ""
    point: Text = ""
    url: Text = ""
    file: Text = ""
    dcv_email: Text = ""

    def to_domain(self) -> DcvProof:
        """Return what is asked of the owner as the domain knows it."""
        return DcvProof(
            mode=self.dcv_mode, host=self.host, point=self.point, url=self.url, file=self.file, email=self.dcv_email
        )


class WireDcv(Wire):
    """An order's validation."""

    dcv_log: Annotated[list[WireDcvBlock], BeforeValidator(log_blocks)] = Field(default_factory=list)
    instructions: Annotated[list[WireDcvInstruction], Records] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _of_an_array(cls, answer: object) -> object:
        """Join the answer's parts where it is an array of them. Source: SCM OpenAPI 25.9; the manual has one object."""
        if not isinstance(answer, list) or not all(isinstance(part, dict) for part in answer):
            return answer
        logs = [part.get("dcvLog") for part in answer]
        blocks = [block for log in logs for block in (log if isinstance(log, list) else [log]) if block is not None]
        instructions = [
            instruction
            for part in answer
            if isinstance(part.get("instructions"), list)
            for instruction in part["instructions"]
        ]
        return {"dcvLog": blocks, "instructions": instructions}

    @model_validator(mode="after")
    def _must_hold_something(self) -> WireDcv:
        if not self.model_fields_set:
            raise ValueError("has neither dcvLog nor instructions")
        return self

    def to_domain(self) -> DcvLog:
        """Return a check for each line, with its domain's instructions; then the instructions that have no line."""
        instructions = {instruction.domain_name.casefold(): instruction for instruction in self.instructions}
        lines = [line for block in self.dcv_log for line in block.log]
        logged = {line.domain_name.casefold() for line in lines}
        checks = [_check(line, instructions.get(line.domain_name.casefold())) for line in lines]
        unlogged = (instruction for key, instruction in instructions.items() if key not in logged)
        checks += [_check(WireDcvLine(domainName=extra.domain_name), extra) for extra in unlogged]
        error = next((block.error for block in self.dcv_log if block.error.holds_something), WireDcvError())
        return DcvLog(tuple(checks), error.code, error.description)


class WireDomainStatus(Wire):
    """A domain's validation, as `dcv/v2` tells it. Source: SCM manual 25.5."""

    status: NeededText
    order_status: Text = ""
    order_mode: Text = ""
    validation_date: When = None
    expiration_date: When = None
    submitted_date: When = None
    last_check: When = None
    next_check: When = None
    host: Text = ""
    point: Text = ""
    url: Text = ""
    first_line: Text = ""
    second_line: Text = ""
    validation_email: Text = ""

    def to_domain(self, domain: str) -> DomainValidation:
        """Return the validation of the domain that was asked for."""
        return DomainValidation(
            domain=domain,
            status=self.status,
            order_status=self.order_status,
            proof=DcvProof(
                mode=self.order_mode,
                host=self.host,
                point=self.point,
                url=self.url,
                file="\n".join(line for line in (self.first_line, self.second_line) if line),
                email=self.validation_email,
            ),
            validated=self.validation_date,
            expires=self.expiration_date,
            submitted=self.submitted_date,
            last_check=self.last_check,
            next_check=self.next_check,
        )


class WireDomainRow(Wire):
    """A row of the account's domain validations.

    Source: SCM manual 25.5; OpenAPI 25.9 has other words, such as `Not validated` and `CNAME_CSR_HASH`.
    """

    domain: NeededText
    dcv_status: Text = ""
    dcv_method: Text = ""
    dcv_order_status: Text = ""
    dcv_order_method: Text = ""
    expiration_date: When = None

    def to_domain(self) -> DomainValidation:
        """Return the validation; a row does not tell what is to be published."""
        return DomainValidation(
            domain=self.domain,
            status=self.dcv_status,
            order_status=self.dcv_order_status,
            proof=DcvProof(mode=self.dcv_order_method or self.dcv_method),
            expires=self.expiration_date,
        )


def _check(line: WireDcvLine, instruction: WireDcvInstruction | None) -> DcvCheck:
    return DcvCheck(
        domain=line.domain_name,
        status=line.dcv_status,
        proof=instruction.to_domain() if instruction else NOTHING_ASKED,
        last_check=line.last_check,
        next_check=line.next_check,
        validated=line.dcv_date,
    )


DCV: TypeAdapter[WireDcv] = TypeAdapter(WireDcv)
DOMAIN_STATUS: TypeAdapter[WireDomainStatus] = TypeAdapter(WireDomainStatus)
DOMAIN_ROWS: TypeAdapter[list[WireDomainRow]] = TypeAdapter(
    Annotated[list[OnErrorOmit[WireDomainRow]], Usable], config=LATER
)
