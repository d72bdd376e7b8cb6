"""What the API does to orders, and when it does not."""

import base64
import hashlib
import ipaddress
import re
from dataclasses import dataclass

from sectigo_tui.simulator.account import Profile
from sectigo_tui.simulator.csr import Csr, check_key, read_csr
from sectigo_tui.simulator.orders import Life, Order, named_life
from sectigo_tui.simulator.requests import ApiError, Body, invalid, missing, wrong_id
from sectigo_tui.simulator.world import World

_DCV_MODES = frozenset({"CNAME", "EMAIL", "HTTP", "HTTPS", "TXT"})
_REASON_CODES = frozenset({0, 1, 3, 4, 5})
_LONGEST_MESSAGE = 512
_TAG = re.compile(r"\[sim:(?P<name>[a-z0-9+-]+)\]")
_LABEL = re.compile(r"sim-(?P<name>[a-z0-9-]+)\.")


@dataclass(frozen=True, slots=True)
class Actions:
    """The writing calls on SSL certificates.

    An enrollment's life is chosen by `[sim:NAME]` in its comments, else by a common name that begins with
    `sim-NAME.`, else by `World.default_lives` for the level of its profile. What a life says about the organization's
    validation does not apply: that is decided by the organization for which it is enrolled.

    Args:
        world: Where they happen.
    """

    world: World

    def enroll(self, body: Body) -> Order:
        """Take an order.

        Raises:
            ApiError: It is rejected.

        Source: SCM manual 25.5, "Request SSL certificate".
        """
        organization_id = body.required_number("orgId")
        if self.world.account.organization(organization_id) is None:
            raise ApiError(-1023, f"Organization '{organization_id}' not found.")
        profile = self._profile(body.required_number("certType"), organization_id)
        term_days = body.required_number("term")
        if term_days not in profile.terms:
            raise ApiError(-36, "The validity period (term) is invalid for this certificate profile.")
        pem = body.text("csr", required=True)
        csr = read_csr(pem)
        check_key(csr, profile)
        comments = body.text("comments", longest=1024)
        custom_fields = self._custom_fields(body)
        dcv_mode, dcv_email = self._dcv(body)
        names = self._names(csr, body.text("subjAltNames").split(","))
        life = self._life(comments, names[0], profile)
        if life.rejection is not None:
            raise ApiError(life.rejection, _rejection_text(life.rejection, names[0]))
        external_requester = _addresses(body.text("externalRequester", longest=_LONGEST_MESSAGE))
        order = self.world.take_order(
            lambda ssl_id: Order(
                ssl_id=ssl_id,
                common_name=names[0],
                names=names,
                profile=profile,
                organization_id=organization_id,
                life=life,
                requested=self.world.now(),
                term_days=term_days,
                csr=pem,
                requester=self.world.account.credentials.login,
                renew_id=_renew_id(self.world.seed, ssl_id),
                external_requester=external_requester,
                comments=comments,
                custom_fields=custom_fields,
                dcv_mode=dcv_mode,
                dcv_email=dcv_email,
            )
        )
        self.world.enrolled.append(order.ssl_id)
        return order

    def approve(self, ssl_id: int, body: Body) -> None:
        """Give the approval that an order waits for.

        Source: SCM manual 25.5, "Approve SSL certificate" and "Errors".
        """
        order = self._order(ssl_id)
        body.text("message", required=True, longest=_LONGEST_MESSAGE)
        stage = self._waiting_stage(order)
        if order.profile.level == "EV" and order.requester == self.world.account.credentials.login:
            raise ApiError(
                -1140,
                "Since you are a requester of this certificate you can't approve it. "
                "For EV certificates the requester and the approver must not be the same person.",
            )
        order.approvals[stage] = self.world.now()
        order.approver = self.world.account.credentials.login
        self.world.keep(order)

    def decline(self, ssl_id: int, body: Body) -> None:
        """Decline an order that waits for approval.

        Source: SCM manual 25.5, "Decline SSL certificate"; the code in a wrong state is assumed.
        """
        order = self._order(ssl_id)
        body.text("message", required=True, longest=_LONGEST_MESSAGE)
        self._waiting_stage(order)
        order.declined = self.world.now()
        order.approver = self.world.account.credentials.login
        self.world.keep(order)

    def revoke(self, order: Order, body: Body) -> None:
        """Revoke a certificate.

        Source: SCM manual 25.5, "Revoke SSL certificate by Id"; reasonCode may be absent, as production clients do.
        """
        body.text("reason", required=True, longest=_LONGEST_MESSAGE)
        code = body.number("reasonCode")
        if code is None:
            if self.world.dialect.demands_reason_code:
                raise missing("reasonCode")
            code = 0
        if code not in _REASON_CODES:
            raise invalid("reasonCode")
        status = self.world.course(order).status
        if status == "Revoked":
            already = self.world.dialect.already_revoked_code
            text = (
                "Your certificate already revoked" if already == -159 else "Only issued certificates could be revoked."
            )
            raise ApiError(already, text)
        if status != "Issued":
            raise ApiError(-102, "Only issued certificates could be revoked.")
        order.revoked, order.revocation_code = self.world.now(), code
        self.world.keep(order)

    def renew(self, ssl_id: int, body: Body) -> Order:
        """Order a certificate anew.

        Source: SCM manual 25.5, "Renew SSL certificate by Id"; the code in a wrong state is assumed.
        """
        old = self._order(ssl_id)
        self._must_be_issued(old)
        pem = body.text("csr") or old.csr
        if pem is not None:
            check_key(read_csr(pem), old.profile)
        now = self.world.now()
        new = self.world.take_order(
            lambda new_id: Order(
                ssl_id=new_id,
                common_name=old.common_name,
                names=old.names,
                profile=old.profile,
                organization_id=old.organization_id,
                life=self._life(old.comments, old.common_name, old.profile),
                requested=now,
                term_days=old.term_days,
                csr=pem,
                requester=self.world.account.credentials.login,
                renew_id=_renew_id(self.world.seed, new_id),
                external_requester=old.external_requester,
                comments=old.comments,
                custom_fields=old.custom_fields,
            )
        )
        self.world.enrolled.append(new.ssl_id)
        old.renewed = now
        self.world.keep(old)
        return new

    def replace(self, ssl_id: int, body: Body) -> None:
        """Have the CA issue a certificate again, for another key, under the same sslId.

        Source: SCM manual 25.5, "Replace SSL certificate by Id".
        """
        order = self._order(ssl_id)
        pem = body.text("csr", required=True)
        body.text("reason", required=True, longest=_LONGEST_MESSAGE)
        self._must_be_issued(order)
        csr = read_csr(pem)
        check_key(csr, order.profile)
        common_name = body.text("commonName", longest=64) or order.common_name
        order.names = tuple(dict.fromkeys((common_name, *(body.texts("subjectAlternativeNames") or order.names[1:]))))
        order.common_name, order.csr = common_name, pem
        order.replaced = order.script_start = self.world.now()
        order.approvals.clear()
        order.life = named_life("quick", order.profile.level)
        self.world.keep(order)

    def change_password(self, body: Body) -> None:
        """Give the administrator another password.

        Source: SCM manual 25.5, "Change password"; the policy is assumed from its example.
        """
        new, credentials = body.text("newPassword", required=True), self.world.account.credentials
        if new == credentials.password:
            raise ApiError(-220, "Password can't be the same.")
        if credentials.login.lower() in new.lower():
            raise ApiError(-982, "New password must not contain Login.")
        broken = [
            f"Password must {rule}."
            for rule, kept in (
                ("contain 1 or more uppercase characters", re.search(r"[A-Z]", new)),
                ("contain 1 or more lowercase characters", re.search(r"[a-z]", new)),
                ("contain 1 or more digit characters", re.search(r"\d", new)),
                ("contain 1 or more special characters", re.search(r"[^A-Za-z0-9]", new)),
                ("be 8 or more characters in length", len(new) >= 8),
                ("be no more than 32 characters in length", len(new) <= 32),
            )
            if not kept
        ]
        if broken:
            raise ApiError(-7306, f"Password policy violated: {' '.join(broken)}")
        credentials.password = new

    def _order(self, ssl_id: int) -> Order:
        order = self.world.order(ssl_id)
        if order is None:
            raise wrong_id(ssl_id)
        return order

    def _profile(self, profile_id: int, organization_id: int) -> Profile:
        profile = self.world.account.profile(profile_id)
        if profile is None:
            raise ApiError(-111, f"No certificate profile found by id {profile_id}")
        if profile.organization_ids and organization_id not in profile.organization_ids:
            raise ApiError(-39, "The certificate profile id is invalid!")
        return profile

    def _custom_fields(self, body: Body) -> tuple[tuple[str, str], ...]:
        given = body.pairs("customFields")
        names = [name for name, _ in given]
        known = {one.name for one in self.world.account.custom_fields}
        if not known.issuperset(names):
            raise ApiError(-135, "Custom field cannot be found.")
        filled = {name for name, value in given if value.strip()}
        if any(one.mandatory and one.name not in filled for one in self.world.account.custom_fields):
            raise ApiError(-62, "Missing mandatory custom field!")
        return given

    def _dcv(self, body: Body) -> tuple[str, str]:
        mode, email = body.text("dcvMode") or "CNAME", body.text("dcvEmail")
        if mode not in _DCV_MODES:
            raise invalid("dcvMode")
        if mode == "EMAIL" and not email:
            raise missing("dcvEmail")
        return mode, email

    def _names(self, csr: Csr, given: list[str]) -> tuple[str, ...]:
        """Return the names to certify: the CSR's common one and those given beside it, else the CSR's own."""
        alternatives = [name.strip() for name in given if name.strip()] or list(csr.names)
        common_name = csr.common_name or next(iter(alternatives), "")
        if not common_name:
            raise missing("commonName")
        names = tuple(dict.fromkeys((common_name, *alternatives)))
        for name in names:
            if _is_internal(name):
                raise ApiError(
                    -164,
                    "Certificate cannot be enrolled for a Local Domain and/or Private IP "
                    "for a validity period exceeding 0.",
                )
            if not self.world.dialect.any_domain and self.world.account.domain(name) is None:
                raise ApiError(-1010, f"Domain '{name}' is not allowed.")
        return names

    def _life(self, comments: str, common_name: str, profile: Profile) -> Life:
        found = _TAG.search(comments) or _LABEL.match(common_name)
        name = found["name"] if found else self.world.default_lives[profile.level]
        try:
            return named_life(name, profile.level)
        except KeyError:
            raise invalid("comments") from None

    def _waiting_stage(self, order: Order) -> int:
        course = self.world.course(order)
        if course.status not in {"Requested", "SAApproved"}:
            raise ApiError(-1112, f"Certificate can't be approved cause it has state = {course.status}")
        return course.stage

    def _must_be_issued(self, order: Order) -> None:
        status = self.world.course(order).status
        if status not in {"Issued", "Expired"}:
            raise ApiError(-130, f"SSL state is not 'ISSUED': {status}")


def _addresses(text: str) -> str:
    if any("@" not in address for address in text.split(",") if address.strip()):
        raise invalid("externalRequester")
    return text


def _is_internal(name: str) -> bool:
    """Return whether no public CA certifies a name: it is of a local domain, or a private address."""
    try:
        return ipaddress.ip_address(name).is_private
    except ValueError:
        return "." not in name or name.endswith((".local", ".internal"))


def _renew_id(seed: int, ssl_id: int) -> str:
    digest = hashlib.blake2b(f"{seed}/renew/{ssl_id}".encode(), digest_size=15).digest()
    return base64.b32encode(digest).decode().rstrip("=")[:20]


def _rejection_text(code: int, name: str) -> str:
    """Return SCM's text for a rejection asked for by a life."""
    texts = {
        -107: f"Domain Control Validation is either incomplete or expired for {name}. "
        "Please complete it before requesting a certificate.",
        -181: "Anchor Certificate details do not match to your request.",
        -737: f"The domain(s): {name} are not validated! Please perform the DCV process for them before proceed.",
        -843: "SSL certificate of this type cannot be requested due to 'PENDING' validation status "
        "of the selected organization.",
        -1010: f"Domain '{name}' is not allowed.",
        -1137: f"The domain(s) {name} have not been validated under the DCV procedure.",
    }
    return texts.get(code, "Unknown error.")
