"""Bodies in the wording: the one a title begins with, and the one that speaks itself."""

from __future__ import annotations

import re

from ingest.attribution.speakers import AFTER, Who
from rag.bodies import joint_bodies, mentions

_SUFFIX = (
    "局|植物园|博物馆|图书馆|艺术馆|公园|景区|委|委员会|联合会|专委会|学会|管委会|街道|街道办|街道办事处|镇|乡|党工委|党委|党组|区政府|市政府|县政府|省政府|人民政府|集团|公司|办公室|法院|检察院|协会|商会|学会|"
    "开发区|高新区|经开区|新区|银行|大学|学院|医院|研究院|研究所|中心|支队|大队|总队|分局|派出所|外交部|国防部|商务部|教育部|财政部|居委会|村委会|"
    "区委|市委|县委|省委|中学|小学|学校|合作社|联盟|基金会|党支部|社区|村|厅|署|部|处|科|办|站|院"
)
_ORGAN = re.compile(rf"[\u4e00-\u9fffa-z0-9·\-□()]{{1,28}}(?:{_SUFFIX})(?![会员园馆店办局长])")
_WHOLE_ORGAN = re.compile(
    rf"(?![各本该我其全上这那多有某每而但并])[\u4e00-\u9fffa-z0-9·\-□]{{1,20}}?(?:{_SUFFIX})(?=$|{AFTER.pattern})"
)
_NOT_IN_ORGAN = re.compile(
    "成立|代表|组织全|对照|给|造成|一位|一名|工作人员|评委|常委|[的了从由是被把让使、,]|记者|各|所有|以及|专家|有关部门|相关部门|负责|来自|作为"
)
_TOWN = re.compile("(.{1,12}?(?:街道|镇|乡))(?=党|办|人大|纪|政|综|副|武)")
_SUBUNIT = re.compile("(?:.{0,10}(?:科|处|股|室|办公室|所|队|站|党组|党委|党总支|机关党委)?)")


def organ_in(part: str, original: str) -> tuple[int, str]:
    """Where the body that a title begins with ends in it, and its name; (0, "") where it names none."""
    town = _TOWN.match(part)
    if town:
        return town.end(), original[: town.end()]
    found = mentions(part)
    if found:
        _, stop, body = found[-1]
        if _SUBUNIT.fullmatch(part, stop) and not re.search(
            "公司|学校|学院|医院|中心|集团|协会", part[stop:]
        ):
            return stop, body.name
    matches = _ORGAN.match(part)
    if matches is None or _NOT_IN_ORGAN.search(matches.group()):
        return 0, ""
    return matches.end(), original[: matches.end()].strip()


def organ(subject: str, original: str) -> Who | None:
    """A body that speaks itself."""
    if re.search("部门|单位", subject) and re.search(r"(?:部门|单位)(?:分别|均|都)?$", subject):
        joint = joint_bodies(subject)
        return Who("", joint[0].name) if joint else None
    found = mentions(subject)
    if found and not subject[0].isascii():
        start, stop, body = found[0]
        before = subject[:start]
        if start <= 8 and not _NOT_IN_ORGAN.search(before):
            if _ends_here(subject, stop):
                return Who("", body.name)
            several = len(found) > 1 and subject[stop] in "、和与及" and found[1][0] - stop < len("、某某区")
            if several and AFTER.match(subject, found[-1][1]):
                return Who("", body.name)
    match = _WHOLE_ORGAN.match(subject)
    if match is None or len(match.group()) < 3 or _NOT_IN_ORGAN.search(match.group()):
        return None
    if not _ends_here(subject, match.end()):
        return None
    return Who("", original[: match.end()].strip())


def _ends_here(subject: str, at: int) -> bool:
    """Whether the name of a body that ends here is the whole subject, but for a bracket and what goes with the verb."""
    if subject[at : at + 1] == "(":
        shut = subject.find(")", at)
        return shut >= 0 and AFTER.match(subject, shut + 1) is not None
    return AFTER.match(subject, at) is not None
