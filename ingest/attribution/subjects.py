"""Who is meant by the subject of a sentence: somebody named before, a person, a crowd, a meeting, a body."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ingest.attribution.levelling import level
from ingest.attribution.names import DOTTED, NO_NAME, SURNAMES, looks_named, name_length, no_word
from ingest.attribution.offices import ADDRESS, CROWD, OFFICE, PERSONAL
from ingest.attribution.organs import organ, organ_in
from ingest.attribution.quotations import Page
from ingest.attribution.speakers import AFTER, Who
from rag.bodies import joint_bodies

MEETING = re.compile("(?:会议|全会|大会|推进会|座谈会|现场会|动员会|调度会|工作会|常务会|例会)$")


@dataclass(slots=True)
class Known:
    """The persons named so far, and the one who spoke last."""

    people: dict[str, Who] = field(default_factory=dict)
    last: Who | None = None
    last_sentence: int = -9

    def spoke(self, who: Who, sentence: int) -> None:
        """Note who speaks in a sentence, if it is one person."""
        if who.personal:
            self.last, self.last_sentence = who, sentence

    def near(self, page: Page, i: int) -> bool:
        """Whether "he" can only be who spoke last: at most one sentence without persons lies between."""
        gap = range(self.last_sentence + 1, i)
        return len(gap) <= 1 and not any(OFFICE.search(page.masked, *page.spans[j]) for j in gap)

    def subject(self, subject: str, original: str) -> Who | None:
        """Whoever the subject means; ``original`` is its wording in the text itself."""
        if len(subject) > 50:
            return None
        if MEETING.search(subject):
            return Who("全会" if subject.endswith("全会") else "会议", "")
        return (
            self._familiar(subject)
            or self.person(subject, original)
            or self._stranger(subject)
            or organ(subject, original)
        )

    def person(self, subject: str, original: str, *, acting: bool = False, whole: bool = False) -> Who | None:
        """A person with an office or a form of address, or a crowd.

        ``acting``: the subject goes on with what the person does; ``whole``: it ends with the name.
        """
        for crowd in CROWD:
            at = subject.find(crowd)
            if at >= 0 and AFTER.match(subject, at + len(crowd)):
                return Who(crowd, "")
        for match in OFFICE.finditer(subject):
            if subject[match.start() - 1 : match.start()] in tuple("向对跟与给被") or "%的" in subject:
                return None
            length = name_length(subject, match.end(), acting=acting, whole=whole)
            if length is None:
                continue
            end = match.end() + length
            named = subject[match.end() : end]
            if match.group() == "代表" and named and named[0] not in SURNAMES and "·" not in named:
                # "代表学校": a verb.
                return None
            if match.group() in PERSONAL:
                return self.keep(original[match.start() : end], "", subject[match.end() : end])
            speaker, body = _office(subject, original, match.start(), end)
            return self.keep(speaker, body, subject[match.end() : end]) if speaker else None
        # 张三(区住建局局长)说
        if (titled := re.match(r"([^()]{2,4})\(([^()]{2,30})\)$", subject)) and looks_named(titled[1]):
            office = subject[titled.start(2) : titled.end(2)]
            found = list(OFFICE.finditer(office))
            if found:
                part = original[titled.start(2) : titled.end(2)]
                speaker, body = _office(office, part, found[-1].start(), len(office))
                return self.keep(speaker + original[: titled.end(1)], body, titled[1])
        if (address := ADDRESS.match(subject)) and address[1] in SURNAMES:
            return self.keep(original[: address.end()], "", address.group())
        return None

    def keep(self, speaker: str, body: str, name: str) -> Who:
        """The person of that name, as named before or else as now; without a name, who is meant this once."""
        speaker, name = speaker.strip(), name.strip()
        if not name:
            return Who(speaker, body)
        old = self.people.get(name)
        if old is not None and (old.body or not body):
            return old
        who = Who(speaker, body, personal=True)
        self.people[name] = who
        return who

    def _familiar(self, subject: str) -> Who | None:
        """A person named before: the name, or surname and office."""
        for length in (3, 2, 4):
            who = self.people.get(subject[:length])
            if who is not None and AFTER.match(subject, length):
                return who
        if latin := re.match(r"[a-z][a-z.\- ]+[a-z]", subject):
            return self.people.get(latin.group())
        if (
            subject[0] in SURNAMES
            and (office := OFFICE.match(subject, 1))
            and AFTER.match(subject, office.end())
        ):
            same = [
                who
                for name, who in self.people.items()
                if name[0] == subject[0] and office.group() in level(who.speaker)
            ]
            return same[0] if len(same) == 1 else None
        return None

    def _stranger(self, subject: str) -> Who | None:
        """A bare name."""
        if "·" in subject[:12] and (match := DOTTED.match(subject)):
            return None if NO_NAME.search(match.group()) else self.keep(match.group(), "", match.group())
        if subject[0] == "向":
            return None
        for length in (2, 3):
            name = subject[:length]
            if len(name) == length and AFTER.match(subject, length) and looks_named(name) and no_word(name):
                return self.keep(name, "", name)
        return None


def _office(subject: str, original: str, office: int, end: int) -> tuple[str, str]:
    """The speaker with office and the body, from "区发改委党组书记、主任李四"."""
    stop = max(subject.rfind("的", 0, office), subject.rfind(",", 0, office)) + 1
    right = office
    joint = joint_bodies(subject[stop:office])
    if joint and re.search("部门|单位", subject[stop:office]):
        cut = max(subject.rfind("部门", stop, office), subject.rfind("单位", stop, office))
        return original[cut:end], joint[0].name
    while True:
        left = max(subject.rfind("、", stop, right), stop - 1) + 1
        part = subject[left:right]
        cut, body = organ_in(part, original[left:right])
        if cut:
            return original[left + cut : end].lstrip(), body
        if left <= stop:
            break
        right = left - 1
    office_match = OFFICE.match(subject, office)
    office_end = office_match.end() if office_match else end
    titles = re.search(r"[副常务正原、]*$", subject[stop:office])
    start = stop + titles.start() if titles else office
    place = subject[stop:start]
    if (
        re.fullmatch(r"[\u4e00-\u9fffa-z0-9·]{2,14}", place)
        and re.match(
            "区长|市长|县长|省长|总统|首相|总理|总裁|ceo|董事长|总经理|创始人|主席", subject[office:]
        )
        and not re.search("首席|执行|高级|著名|前任|全国", place)
    ):
        return original[start:end], original[stop:start]
    if place in SURNAMES or (end == office_end and len(place) in (2, 3) and looks_named(place)):
        return original[stop:end], ""
    return original[start:end], ""
