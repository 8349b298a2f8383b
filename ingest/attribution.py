"""Who speaks where in a document: "区住建局局长田禾表示，……". Pure.

The reading is by wording alone and prefers to miss: where the speaker of a sentence is in doubt, it has none. Work is
done on a levelled copy of the text (simplified script, lower case, one form of punctuation) of the same length, so
that offsets hold for the text itself, with quotations masked, so that what is quoted is not taken for narration.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field

from rag.bodies import joint_bodies, mentions
from rag.text import fold, sentences, to_simplified
from rag.types import Speech

_LONGEST_SUBJECT = 60
_LONGEST_PARAGRAPH = 500
"""In a longer paragraph the division into paragraphs is lost, and it says nothing of where a speech ends."""
_UNMARKED = 2
"""So many sentences that nothing marks as spoken or narrated still belong to the speech before them."""
_LONGEST_QUOTATION = 3000
_LONGEST_TERM = 12
_RARE = 10

_SURROGATE = re.compile("[\ud800-\udfff\x00]")
_LEVEL = str.maketrans("，：；？！（）﹐ＡABCDEFGHIJKLMNOPQRSTUVWXYZ", ",:;?!(),aabcdefghijklmnopqrstuvwxyz")
_QUOTE_MARK = re.compile('[“”「」"\n]')
_FILLED = re.compile("[^\n]")

_SURNAMES = frozenset(
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳"
    "鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞熊纪"
    "舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯管卢莫经房裘缪干解应宗丁宣邓郁单杭洪包"
    "诸左石崔吉龚程邢裴陆荣翁荀羊惠甄曲家封储靳邴松段富巫乌焦巴弓牧隗山谷车侯宓蓬全郗班仰秋仲伊宫宁仇栾暴甘厉戎祖武符刘景詹束龙"
    "叶幸司韶郜黎蓟薄印宿白怀蒲邰从鄂索咸籍赖卓蔺屠蒙池乔阴胥能苍双闻莘党翟谭贡劳逄姬申扶堵冉宰郦雍璩桑桂濮牛寿通边扈燕冀浦尚农温"
    "别庄晏柴瞿阎充慕连茹习艾鱼容向古易慎戈廖庾终暨居衡步都耿满弘匡国文寇广禄阙东欧利蔚越隆师巩聂晁勾敖融冷辛阚那简饶曾沙丰关"
    "查游权肖闫代岳帅海涂佟年佘牟覃仝邸占权楚鹿区麦原练操才衣冼"
)
_COMPOUND = (
    "欧阳",
    "司马",
    "上官",
    "诸葛",
    "东方",
    "皇甫",
    "尉迟",
    "公孙",
    "慕容",
    "令狐",
    "司徒",
    "夏侯",
    "端木",
)
_NO_NAME = re.compile(
    "记者|本报|媒体|许多|多人|爆料|警告|分析|认为|反映|留言|评论|吐槽|质疑|预测|预计|如果|虽然|视频|发文|发帖|晒出|[的了在是及等将从由被把有其这那个们,、()\\d\\s]"
)
_OFFICES = [
    "副局长",
    "局长",
    "主任",
    "副书记",
    "书记",
    "部长",
    "区长",
    "市长",
    "县长",
    "镇长",
    "乡长",
    "省长",
    "州长",
    "村长",
    "院长",
    "所长",
    "处长",
    "科长",
    "股长",
    "站长",
    "队长",
    "厅长",
    "司长",
    "署长",
    "台长",
    "馆长",
    "园长",
    "校长",
    "行长",
    "厂长",
    "店长",
    "社长",
    "会长",
    "理事长",
    "秘书长",
    "董事长",
    "总经理",
    "副总经理",
    "总裁",
    "副总裁",
    "总监",
    "经理",
    "主管",
    "主席",
    "委员",
    "常委",
    "党组成员",
    "负责人",
    "发言人",
    "官员",
    "专员",
    "检察长",
    "总工程师",
    "工程师",
    "总规划师",
    "首席执行官",
    "首席经济学家",
    "经济学家",
    "分析师",
    "研究员",
    "创始人",
    "合伙人",
    "总统",
    "首相",
    "总理",
    "国务卿",
    "大臣",
    "外长",
    "防长",
    "大使",
    "议员",
    "教授",
    "专家",
    "学者",
    "律师",
    "医生",
    "医师",
    "教师",
    "教练",
    "调研员",
    "工作人员",
    "代表",
    "ceo",
    "处长级",
    "组长",
    "总干事",
    "组织委员",
    "馆员",
    "理事",
]
_PEOPLE = [
    "市民",
    "居民",
    "村民",
    "业主",
    "群众",
    "商户",
    "游客",
    "学生",
    "家长",
    "司机",
    "店主",
    "老板",
    "工人",
    "农户",
    "种植户",
    "养殖户",
    "志愿者",
    "用户",
    "网友",
    "旅客",
    "乘客",
    "消费者",
    "患者",
    "住户",
    "租客",
]
_CROWD = [
    "业内人士",
    "知情人士",
    "分析人士",
    "相关人士",
    "有关人士",
    "受访者",
    "与会者",
    "与会同志",
    "与会人员",
    "与会代表",
    "与会专家",
    "多位专家",
    "多名专家",
    "有专家",
    "代表们",
]
_FORMS_OF_ADDRESS = "先生|女士|大爷|大妈|大叔|大姐|阿姨|师傅|奶奶|爷爷|同学|老师|老人|小姐|医生"
_OFFICE = re.compile("|".join(sorted(map(re.escape, _OFFICES + _PEOPLE), key=len, reverse=True)))
_PERSONAL = frozenset(_PEOPLE)
# What may stand between the speaker and the verb begins with one of these.
_AFTER = re.compile(
    r"在|近日|日前|今日|今天|昨日|昨天|当天|当日|当场|现场|随后|稍后|\d{1,2}日|\d{1,2}月|对|就|接受|面对|回应|回答|谈到|谈及|提到|说起|谈起|向|跟|"
    r"则|还|也|又|再次|再|同时|进一步|特别|明确|一再|多次|反复|着重|郑重|公开|率先|分别|均|都|一致|纷纷|这样|这么|如此|曾|应询|笑着|"
    r"补充|总结|最后|首先|表态|发言|坦率|致辞|致词|于|通过|告诉|[\u4e00-\u9fff]{2}地$|[\u4e00-\u9fff]{4}地$|\(|$"
)
_ADVERBS = frozenset("也还都则又再就曾均称只便却已")
_ALSO_NAMES = frozenset("向曾都于和")
_ACTS = re.compile(
    r"一行|来到|到|深入|前往|主持|出席|参加|率|带队|实地|走进|听取|调研|检查|代表|作|围绕|结合|宣读"
)
_LEAD = re.compile(
    r"(?:据|对此|为此|其中|同时|此外|另外|不过|而|但是|但|随后|最后|日前|近日|昨日|昨天|今天|今日|当天|当日|会上|会后|座谈中|"
    r"(?:\d{4}年)?\d{1,2}月\d{1,2}日|\d{1,2}日|上午|下午|晚间|晚)+"
)
_SAYS = (
    "表示|指出|强调|介绍|认为|提出|要求|透露|坦言|谈到|回应|告诉(?:本报|本台)?记者|告诉[\u4e00-\u9fff]{1,6}(?=[,:“])|承诺|表态|解读|"
    "补充|解释|建议|呼吁|答复|直言|感慨|提醒|坦承|宣布|通报|说|称"
)
_CUE = re.compile(
    rf"(?P<verb>(?:{_SAYS})(?:说道|说|道|称|到)?)"
    r"(?P<then>[,:]|(?=[“])|(?=[。!?;\n]|$)|(?=\u25a1)|(?=[\u4e00-\u9fff]))"
)
_SPOKEN = re.compile(rf"(?:{_SAYS})(?:说道|说|道|称|到)?$|\b(?:said|says)$")
# "发布通报", "作出承诺": a noun, not a verb.
_AS_NOUN = re.compile("(?:发布|发出|作出|做出|印发|下发|进行|予以|给予|得到|的|工作|按照|根据|符合)$")
_PLAIN = re.compile("(?:表示|指出|强调|认为|透露|坦言|承诺|要求|呼吁|建议|称)(?:说|称)?$")
_NO_SPEECH = re.compile(
    "[的了过着出下]|赞|呼|作|难以|深切|沉痛|感谢|祝贺|欢迎|慰问|敬意|热烈|衷心|诚挚|肯定|赞赏|不满|担忧|遗憾|理解|支持|反对|同意|关注|关切|哀悼|愤慨|谴责|对|满意|"
    "高度|充分|书|制|件|函|事项|问题|较|很|进行|和|与|为|号|性"
)
_BODY_PLANS = re.compile(r"([^,。:;“”□、\s]{2,20}?)(?:也|还|则|今年)?将(?![军来近于在其会])")
_PLANNER = re.compile("(?:街道|镇|乡|高新区|经开区|开发区|新区|管委会|局|委|办|政府|集团)$")
_SUFFIX = (
    "局|植物园|博物馆|图书馆|艺术馆|公园|景区|委|委员会|联合会|专委会|学会|管委会|街道|街道办|街道办事处|镇|乡|党工委|党委|党组|区政府|市政府|县政府|省政府|人民政府|集团|公司|办公室|法院|检察院|协会|商会|学会|"
    "开发区|高新区|经开区|新区|银行|大学|学院|医院|研究院|研究所|中心|支队|大队|总队|分局|派出所|外交部|国防部|商务部|教育部|财政部|居委会|村委会|"
    "区委|市委|县委|省委|中学|小学|学校|合作社|联盟|基金会|党支部|社区|村|厅|署|部|处|科|办|站|院"
)
_ORGAN = re.compile(rf"[\u4e00-\u9fffa-z0-9·\-□()]{{1,28}}(?:{_SUFFIX})(?![会员园馆店办局长])")
_WHOLE_ORGAN = re.compile(
    rf"(?![各本该我其全上这那多有某每而但并])[\u4e00-\u9fffa-z0-9·\-□]{{1,20}}?(?:{_SUFFIX})(?=$|{_AFTER.pattern})"
)
_NOT_IN_ORGAN = re.compile(
    "成立|代表|组织全|对照|给|造成|一位|一名|工作人员|评委|常委|[的了从由是被把让使、,]|记者|各|所有|以及|专家|有关部门|相关部门|负责|来自|作为"
)
_TOWN = re.compile("(.{1,12}?(?:街道|镇|乡))(?=党|办|人大|纪|政|综|副|武)")
_SUBUNIT = re.compile("(?:.{0,10}(?:科|处|股|室|办公室|所|队|站|党组|党委|党总支|机关党委)?)")
_MEETING = re.compile("(?:会议|全会|大会|推进会|座谈会|现场会|动员会|调度会|工作会|常务会|例会)$")
_PRONOUN = re.compile("(?:他|她|其)(?=$|" + _AFTER.pattern + ")")
_FROM = re.compile(
    r"(?:^|[,。;!?\n])(?:记者)?(?:[^,。“”\n]{0,8}?)从([^,。“”:\n]{2,30}?)(?:获悉|了解到|得知)[,:]"
)
_GOES_ON = re.compile(
    r"我们|我市|我区|我局|我县|我镇|我院|我公司|[一二三四五六七八九]是|第[一二三四五]|首先|其次|再次|此外|同时|另外|与此同时|(?:下一步|接下来),?(?:我|将|要|会|还)|"
    r"今后|要|还要|必须|尤其|我|we |our |first,|second,|third,"
)
_NEW_PARAGRAPH = re.compile(
    r"[一二三四五六七八九]是|首先|其次|再次|此外|同时|另外|下一步|接下来|我们(?:将|会|要|还|计划)|we (?:will|shall|plan)"
)
_NARRATION = re.compile(
    r"会上|会后|会前|据|记者|当天|当日|当晚|随后|近日|日前|活动|仪式|现场|截至|\d{4}年|\d{1,2}月|今年以来|近年来|本报|原标题|责任编辑|责编|来源|"
    r"图|\(|今天|昨天|昨日|上午|下午|相关链接|the meeting|on (?:mon|tues|wednes|thurs|fri|satur|sun)day|meanwhile"
)
_ASKS = re.compile(r"(?:[\u4e00-\u9fff]{0,6}记者|主持人|问|网友提问|q|question|reporter)$")
_ANSWERS = re.compile(r"(?:答|a|answer|回复)$")
_LABEL = re.compile(r"([^,。:;“”!?\n]{1,24}):[ \t]*")

_TITLE_WORDS = (
    "director|deputy|head|chief|secretary|mayor|chairman|chairwoman|chair|manager|spokesman|spokeswoman|spokesperson|"
    "president|minister|commissioner|officer|governor|general|vice|party"
)
_EN_SAYS = re.compile(
    r"\b(?:said|says|pledged|promised|announced|stressed|added|noted|explained|vowed|emphasi[sz]ed|stated|told reporters)\b"
)
_EN_NAME = re.compile(r"[A-Z][a-z]+(?:-[a-z]+)?(?: [A-Z][a-z]+(?:-[a-z]+)?){0,3}")
_EN_PRONOUN = re.compile(r"(?:and |but )?(?:he|she)(?: also| then| further)?\s*$")
_EN_PASSIVE = re.compile(r"\b(?:was|is|were|be|been|are|as|it|which|that|who)\s*$")
_EN_TITLE = re.compile(rf"\b(?:{_TITLE_WORDS})\b")
_EN_REST = re.compile(
    rf"(?:'s|,|\s|\b(?:the|a|an|of|and|also|has|have|had|its|for|district|city|county|municipal|local|{_TITLE_WORDS})\b)*$"
)


@dataclass(frozen=True, slots=True)
class _Who:
    speaker: str
    body: str
    personal: bool = False
    """Whether it is one person, whom a pronoun or the bare name can mean afterwards."""


@dataclass(frozen=True, slots=True)
class _Cue:
    start: int
    end: int
    who: _Who | None
    alone: bool = False
    """Whether it covers its own sentence only."""


@dataclass(slots=True)
class _Quotation:
    start: int
    end: int
    who: _Who | None = None
    assumed: bool = False
    """Whether it is only its place after a speech that gives it to that speaker."""


@dataclass(slots=True)
class _Known:
    """The persons named so far, and the one who spoke last."""

    people: dict[str, _Who] = field(default_factory=dict)
    last: _Who | None = None
    last_sentence: int = -9


def attribute(text: str, issuer: str | None = None) -> tuple[Speech, ...]:
    """Who says what in a cleaned text, in order, without overlaps, in whole sentences (`rag.text.sentences`).

    The sentence that names the speaker belongs to the speech. A sentence with two speakers is the first one's, and
    what follows the last one's. Where several bodies speak together, the first stands for them. ``issuer`` is the
    body that issued the document: it is who answers under a bare "答：". Raises nothing.
    """
    return _Reader(text, issuer).read()


def _level(text: str) -> str:
    """Simplified, lower case, ASCII punctuation, and as long as the text."""
    safe = _SURROGATE.sub("\ufffd", text)
    simple = to_simplified(safe)
    if len(simple) != len(safe):
        forms = {char: to_simplified(char) for char in set(safe)}
        simple = "".join(forms[c] if len(forms[c]) == 1 else c for c in safe)
    return simple.translate(_LEVEL)


class _Reader:
    def __init__(self, text: str, issuer: str | None) -> None:
        self.text = text
        self.level = _level(text)
        self.spans = sentences(text)
        self.issuer = self._canonical(issuer) if issuer else ""
        self.known = _Known()
        self.quotations: list[_Quotation] = []
        self.masked = self._mask()
        self.opens = [quotation.start for quotation in self.quotations]
        self.closing = {quotation.end: quotation for quotation in self.quotations}
        self.english = re.search(r"[a-z]{3} [a-z]{2}", self.level) is not None

    @staticmethod
    def _canonical(name: str) -> str:
        found = mentions(fold(name))
        return found[0][2].name if found else name

    # Quotations

    def _mask(self) -> str:
        """The levelled text with what is quoted blanked out; quotations that are longer than a term are kept apart."""
        pieces: list[str] = []
        cursor = 0
        opened: int | None = None
        closer = ""
        for match in _QUOTE_MARK.finditer(self.level):
            mark, at = match.group(), match.start()
            if opened is None:
                if mark in '“「"':
                    opened, closer = at, {"“": "”", "「": "」", '"': '"'}[mark]
                continue
            if mark == "\n":
                if closer == '"' or at - opened > _LONGEST_QUOTATION or not self._still_open(at, closer):
                    pieces.append(self.level[cursor:at])
                    self.quotations.append(_Quotation(opened, at))
                    pieces[-1] = self.level[cursor:opened] + "“" + "□" * (at - opened - 1)
                    cursor, opened = at, None
                continue
            if mark != closer:
                continue
            inner = self.level[opened + 1 : at]
            term = len(inner) <= _LONGEST_TERM and not re.search(r"[。!?,;.\n…]", inner)
            blank = _FILLED.sub("□", inner)
            pieces.append(self.level[cursor:opened] + (f"□{blank}□" if term else f"“{blank}”"))
            if not term:
                self.quotations.append(_Quotation(opened, at + 1))
            cursor, opened = at + 1, None
        pieces.append(self.level[cursor:])
        return "".join(pieces)

    def _still_open(self, line_end: int, closer: str) -> bool:
        """Whether a quotation goes on past this line: the next line opens again, or closes before it opens."""
        opener = "“" if closer == "”" else "「"
        after = self.level[line_end : line_end + _LONGEST_TERM].lstrip()
        if after.startswith(opener):
            return True
        window = self.level[line_end : line_end + 600]
        shut, again = window.find(closer), window.find(opener)
        return shut >= 0 and (again < 0 or shut < again)

    def _quotation_at(self, at: int) -> _Quotation | None:
        index = bisect_right(self.opens, at) - 1
        if index < 0:
            return None
        quotation = self.quotations[index]
        return quotation if quotation.start <= at < quotation.end else None

    # Reading

    def read(self) -> tuple[Speech, ...]:
        owners: list[_Who | None] = [None] * len(self.spans)
        current: _Who | None = None
        label: _Who | None = None
        unmarked = 0
        led = False
        line_end = -1
        paragraph = ""
        for i, (start, end) in enumerate(self.spans):
            sentence = self.masked[start:end]
            opening = start > line_end
            if opening:
                found = self.level.find("\n", start)
                line_end = found if found >= 0 else len(self.level)
                paragraph = self.masked[start:line_end].strip()
                named = self._label(paragraph)
                if named is None and label is not None and _LABEL.match(paragraph):
                    # Somebody else answers, and it is not clear who.
                    label = current = None
                if named is not None:
                    label = current = named
                    unmarked = 0
                    if len(paragraph) > len(sentence) or _LABEL.match(paragraph):
                        owners[i] = label
                    self._spoke(label, i)
                    continue
                heading = self._heading(paragraph)
                if heading or _NARRATION.match(paragraph):
                    label = None
                if heading:
                    current = None
                    continue
                if not (_NEW_PARAGRAPH.match(sentence) or self._quoted(start, sentence)):
                    current = label
                unmarked = 0
            cues = self._cues(start, end, i, current)
            if opening:
                # A paragraph that opens with its speaker is his to its end, unless something says otherwise.
                led = bool(cues)
            if cues:
                first = cues[0].who
                self._claim(cues, i, owners)
                owners[i] = first
                current = cues[-1].who if not cues[-1].alone else None
                unmarked = 0
                if current is None and label is not None:
                    current = label
                if first is not None:
                    self._spoke(first, i)
                for cue in cues:
                    if cue.who is not None:
                        self._spoke(cue.who, i)
                if (
                    _opens_quote(self.masked, cues[-1].end)
                    and current is not None
                    and self._quotation_closed(end)
                ):
                    # A quotation that closes with its sentence is the whole speech.
                    current = label
                continue
            quotation = self._quotation_at(start)
            if quotation is not None and quotation.who is not None and quotation.start < start:
                owners[i] = quotation.who
                self._spoke(quotation.who, i)
                if quotation.end >= end:
                    current = quotation.who if quotation.end > end else label
                continue
            if current is None:
                continue
            if label is not None and current is label:
                owners[i] = label
                continue
            if not opening and _NARRATION.match(sentence, _joint_end(sentence)):
                current = None
                continue
            if quotation is not None:
                # A new quotation that nobody else claims goes on with the speaker.
                if quotation.who is None:
                    quotation.who, quotation.assumed = current, True
                owners[i] = current
                continue
            if not _GOES_ON.match(sentence):
                unmarked += 1
                if (
                    (unmarked > _UNMARKED and not led)
                    or len(paragraph) > _LONGEST_PARAGRAPH
                    or _OFFICE.search(sentence)
                ):
                    current = None
                    continue
                if i + 1 < len(self.spans) and self.spans[i + 1][0] < line_end and self._introduces(i + 1):
                    # What leads up to the next speaker is the reporter's.
                    current = None
                    continue
            owners[i] = current
            self._spoke(current, i)
        return self._speeches(owners)

    def _spoke(self, who: _Who, sentence: int) -> None:
        if who.personal:
            self.known.last, self.known.last_sentence = who, sentence

    def _quoted(self, start: int, sentence: str) -> bool:
        return sentence.startswith("“") or (
            sentence.startswith("□") and self._quotation_at(start) is not None
        )

    def _quotation_closed(self, end: int) -> bool:
        return end in self.closing

    def _introduces(self, i: int) -> bool:
        start, end = self.spans[i]
        return any(
            match.start() > start and match["then"] in (",", ":", "")
            for match in _CUE.finditer(self.masked, start, min(end, start + 120))
        )

    def _claim(self, cues: list[_Cue], i: int, owners: list[_Who | None]) -> None:
        """Give the quotations right before and right after each cue to its speaker."""
        for cue in cues:
            if cue.who is None or cue.alone:
                continue
            at = cue.start
            while at > 0 and self.level[at - 1] in ", \t":
                at -= 1
            before = self.closing.get(at)
            if before is not None and (before.who is None or before.assumed):
                assumed, before.assumed = before.who, False
                before.who = cue.who
                j = i - 1
                while j >= 0 and self.spans[j][1] > before.start:
                    inside = self.spans[j][0] >= before.start
                    if inside or owners[j] is None or owners[j] is assumed:
                        owners[j] = cue.who
                    j -= 1
            after = self._quotation_at(cue.end)
            if after is not None and after.start == cue.end:
                after.who = cue.who

    def _speeches(self, owners: list[_Who | None]) -> tuple[Speech, ...]:
        found: list[Speech] = []
        previous = -2
        for i, who in enumerate(owners):
            if who is None or not (who.speaker or who.body):
                continue
            start, end = self.spans[i]
            if previous == i - 1 and (found[-1].speaker, found[-1].body) == (who.speaker, who.body):
                found[-1] = Speech(found[-1].start, end, who.speaker, who.body)
            else:
                found.append(Speech(start, end, who.speaker, who.body))
            previous = i
        return tuple(found)

    # Labels and headings

    @staticmethod
    def _heading(paragraph: str) -> bool:
        if paragraph.startswith("#"):
            return True
        return (
            len(paragraph) <= 40
            and paragraph[-1:] not in "。!?;:,.…”□)"
            and not _NEW_PARAGRAPH.match(paragraph)
        )

    def _label(self, paragraph: str) -> _Who | None:
        if len(paragraph) <= 30 and " " in paragraph and paragraph[-1:] not in "。!?;:,.":
            return self._own_line(paragraph)
        match = _LABEL.match(paragraph)
        if match is None:
            return None
        name, said = match.group(1).strip(), paragraph[match.end() :]
        if _SPOKEN.search(name):
            return None
        if _ASKS.fullmatch(name):
            return _Who(name, "")
        if _ANSWERS.fullmatch(name):
            return _Who("", self.issuer) if self.issuer else (self.known.last or _Who(name, ""))
        if said and len(said) < 12 and said[-1] not in "。!?”.":
            return None
        who = self._subject(name, name)
        if who is None or _MEETING.search(name):
            return None
        return who if who.personal or who.body else None

    def _own_line(self, paragraph: str) -> _Who | None:
        joined = paragraph.replace(" ", "")
        who = self._person(joined, joined, whole=True)
        if who is None or not who.body or not who.personal:
            return None
        at = self.level.find(paragraph)
        following = self.level[at + len(paragraph) :].lstrip().split("\n", 1)[0]
        return who if len(following) >= 15 and following.rstrip()[-1] in "。!?”" else None

    # Cues

    def _cues(self, start: int, end: int, i: int, current: _Who | None) -> list[_Cue]:
        cues: list[_Cue] = []
        masked = self.masked
        if masked[start] == "(":
            return cues
        inside = False
        seen = start
        for match in _CUE.finditer(masked, start, end):
            # What is said goes to the end of the sentence, a semicolon or the end of a quotation.
            inside = inside and not _SEPARATOR.search(masked, seen, match.start())
            seen = match.end()
            if inside:
                continue
            cue = self._cue(match, start, end, i, current)
            if cue is not None:
                cues.append(cue)
                inside = cue.who is not None
        if not cues and (found := _FROM.search(masked, start, end)):
            who = self._organ(found.group(1), self.text[found.start(1) : found.end(1)])
            return [_Cue(found.start(), found.end(), who)]
        if not cues and (plans := _BODY_PLANS.match(masked, start, end)):
            name = plans.group(1)
            who = self._organ(name, self.text[start : start + len(name)])
            planner = who is not None and (mentions(name) or _PLANNER.search(name))
            if planner and not (current is not None and who is not None and current.body == who.body):
                return [_Cue(start, plans.end(), who, alone=True)]
        if self.english and not cues:
            cues = self._english(start, end, i)
        return cues

    def _cue(self, match: re.Match[str], start: int, end: int, i: int, current: _Who | None) -> _Cue | None:
        masked = self.masked
        verb, then, at = match["verb"], match["then"], match.end()
        begin = max(start, match.start() - _LONGEST_SUBJECT)
        window = masked[begin : match.start()]
        cut = max(window.rfind(mark) for mark in ",。!?;:”“\n") + 1
        following = masked[at : at + 1]
        tail = False
        if not then:
            if following == "□" and re.match("提出|要求|建议|宣布|介绍|补充", verb):
                return None
            if not following or following in "。!?;\n":
                tail = (
                    cut > 0 and window[cut - 1] in "”," and "”" in masked[max(0, begin - 1) : match.start()]
                )
                tail = tail or (cut == 0 and (start - 1 in self.closing or start in self.closing))
                if not tail:
                    return None
            elif following not in "“□" and (not _PLAIN.match(verb) or _NO_SPEECH.match(masked, at)):
                return None
        clause = window[cut:]
        if _AS_NOUN.search(clause) and verb[-1] not in "说称道":
            return None
        stripped = clause.lstrip()
        offset = begin + cut + len(clause) - len(stripped)
        if _CONCESSIVE.match(stripped):
            return None
        lead = _LEAD.match(stripped)
        heard = lead is not None and "据" in lead.group()
        if lead is not None:
            stripped, offset = stripped[lead.end() :], offset + lead.end()
        if not stripped or (_AFTER.match(stripped) and not _PRONOUN.match(stripped)):
            who = None
            if heard:
                return _Cue(offset, at, None)
            if begin + cut == start or masked[start : begin + cut].strip() == "":
                who = current
            elif then in (",", ":") and (prefix := _CLAUSE.match(masked, start, end)):
                who = self._person(prefix.group(), self.text[start : prefix.end()], acting=True)
            if not stripped or (self._bare(stripped) and not _OFFICE.search(stripped)):
                return _Cue(offset, at, who)
        original = self.text[offset : match.start()]
        if _PRONOUN.match(stripped):
            who = self.known.last if self._near(i) else None
            return _Cue(begin + cut, at, who)
        who = self._subject(stripped, original)
        if who is None and not (then or tail or following in "“□"):
            return None
        return _Cue(begin + cut, at, who)

    @staticmethod
    def _bare(stripped: str) -> bool:
        return _AFTER.match(stripped) is not None and _SURNAMES.isdisjoint(stripped[:1])

    def _near(self, i: int) -> bool:
        """Whether "he" can only be who spoke last: at most one sentence without persons lies between."""
        gap = range(self.known.last_sentence + 1, i)
        return len(gap) <= 1 and not any(_OFFICE.search(self.masked, *self.spans[j]) for j in gap)

    # Subjects

    def _subject(self, subject: str, original: str) -> _Who | None:
        if len(subject) > 50:
            return None
        if _MEETING.search(subject):
            return _Who("全会" if subject.endswith("全会") else "会议", "")
        return (
            self._familiar(subject)
            or self._person(subject, original)
            or self._stranger(subject)
            or self._organ(subject, original)
        )

    def _person(
        self, subject: str, original: str, *, acting: bool = False, whole: bool = False
    ) -> _Who | None:
        for crowd in _CROWD:
            at = subject.find(crowd)
            if at >= 0 and _AFTER.match(subject, at + len(crowd)):
                return _Who(crowd, "")
        for match in _OFFICE.finditer(subject):
            if subject[match.start() - 1 : match.start()] in tuple("向对跟与给被") or "%的" in subject:
                return None
            length = self._name(subject, match.end(), acting=acting, whole=whole)
            if length is None:
                continue
            end = match.end() + length
            named = subject[match.end() : end]
            if match.group() == "代表" and named and named[0] not in _SURNAMES and "·" not in named:
                # "代表学校": a verb.
                return None
            if match.group() in _PERSONAL:
                return self._keep(original[match.start() : end], "", subject[match.end() : end])
            speaker, body = self._office(subject, original, match.start(), end)
            return self._keep(speaker, body, subject[match.end() : end]) if speaker else None
        # 张三(区住建局局长)说
        if (titled := re.match(r"([^()]{2,4})\(([^()]{2,30})\)$", subject)) and _looks_named(titled[1]):
            office = subject[titled.start(2) : titled.end(2)]
            found = list(_OFFICE.finditer(office))
            if found:
                part = original[titled.start(2) : titled.end(2)]
                speaker, body = self._office(office, part, found[-1].start(), len(office))
                return self._keep(speaker + original[: titled.end(1)], body, titled[1])
        if (address := _ADDRESS.match(subject)) and address[1] in _SURNAMES:
            return self._keep(original[: address.end()], "", address.group())
        return None

    def _keep(self, speaker: str, body: str, name: str) -> _Who:
        speaker, name = speaker.strip(), name.strip()
        if not name:
            return _Who(speaker, body)
        old = self.known.people.get(name)
        if old is not None and (old.body or not body):
            return old
        who = _Who(speaker, body, personal=True)
        self.known.people[name] = who
        return who

    @staticmethod
    def _name(subject: str, at: int, *, acting: bool, whole: bool) -> int | None:
        """How long the name at ``at`` is; 0 where the office stands alone; None where neither fits."""

        def ends(place: int) -> bool:
            if place == len(subject):
                return True
            if whole:
                return False
            return _AFTER.match(subject, place) is not None or (
                acting and _ACTS.match(subject, place) is not None
            )

        rest = len(subject) - at
        if rest == 0:
            return None if acting or whole else 0
        if latin := re.match(r" ?[a-z][a-z.\- ]{1,30}", subject[at:]):
            return latin.end() if ends(at + latin.end()) else None
        head = subject[at]
        if ends(at) and not (head in _ALSO_NAMES and 2 <= rest <= 3):
            return None if acting else 0
        if _OFFICE.match(subject, at):
            return None
        longest = 3 if head in _SURNAMES and "·" not in subject[at : at + 12] else 12
        if subject.startswith(_COMPOUND, at):
            longest = 4
        for length in range(2, longest + 1):
            name = subject[at : at + length]
            if len(name) < length or _NO_NAME.search(name):
                return None
            if length > 5 and "·" not in name:
                return None
            if ends(at + length):
                return length
        return None

    def _office(self, subject: str, original: str, office: int, end: int) -> tuple[str, str]:
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
            cut, body = self._organ_in(part, original[left:right])
            if cut:
                return original[left + cut : end].lstrip(), body
            if left <= stop:
                break
            right = left - 1
        office_match = _OFFICE.match(subject, office)
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
        if place in _SURNAMES or (end == office_end and len(place) in (2, 3) and _looks_named(place)):
            return original[stop:end], ""
        return original[start:end], ""

    @staticmethod
    def _organ_in(part: str, original: str) -> tuple[int, str]:
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

    def _familiar(self, subject: str) -> _Who | None:
        """A person named before: the name, or surname and office."""
        for length in (3, 2, 4):
            who = self.known.people.get(subject[:length])
            if who is not None and _AFTER.match(subject, length):
                return who
        if latin := re.match(r"[a-z][a-z.\- ]+[a-z]", subject):
            return self.known.people.get(latin.group())
        if (
            subject[0] in _SURNAMES
            and (office := _OFFICE.match(subject, 1))
            and _AFTER.match(subject, office.end())
        ):
            same = [
                who
                for name, who in self.known.people.items()
                if name[0] == subject[0] and office.group() in _level(who.speaker)
            ]
            return same[0] if len(same) == 1 else None
        return None

    def _stranger(self, subject: str) -> _Who | None:
        """A bare name."""
        if "·" in subject[:12] and (match := _DOTTED.match(subject)):
            return None if _NO_NAME.search(match.group()) else self._keep(match.group(), "", match.group())
        if subject[0] == "向":
            return None
        for length in (2, 3):
            name = subject[:length]
            if (
                len(name) == length
                and _AFTER.match(subject, length)
                and _looks_named(name)
                and _no_word(name)
            ):
                return self._keep(name, "", name)
        return None

    @staticmethod
    def _organ(subject: str, original: str) -> _Who | None:
        """A body that speaks itself."""
        if re.search("部门|单位", subject) and re.search(r"(?:部门|单位)(?:分别|均|都)?$", subject):
            joint = joint_bodies(subject)
            return _Who("", joint[0].name) if joint else None
        found = mentions(subject)
        if found and not subject[0].isascii():
            start, stop, body = found[0]
            before = subject[:start]
            if start <= 8 and not _NOT_IN_ORGAN.search(before):
                if _ends_here(subject, stop):
                    return _Who("", body.name)
                several = (
                    len(found) > 1 and subject[stop] in "、和与及" and found[1][0] - stop < len("、某某区")
                )
                if several and _AFTER.match(subject, found[-1][1]):
                    return _Who("", body.name)
        match = _WHOLE_ORGAN.match(subject)
        if match is None or len(match.group()) < 3 or _NOT_IN_ORGAN.search(match.group()):
            return None
        if not _ends_here(subject, match.end()):
            return None
        return _Who("", original[: match.end()].strip())

    # English

    def _english(self, start: int, end: int, i: int) -> list[_Cue]:
        for match in _EN_SAYS.finditer(self.masked, start, end):
            begin = start
            shut = self.masked.rfind("”", start, match.start())
            if shut >= 0:
                begin = shut + 1
            left = self.masked[begin : match.start()]
            if self._quotation_at(match.start()) is not None or len(left) > 160:
                continue
            if not left.strip(" ,"):
                stop = min(
                    [p for p in (self.masked.find(c, match.end(), end) for c in ".“;") if p >= 0], default=end
                )
                right = self.text[match.end() : stop]
                who = (
                    self._english_who(right, right.lower(), i)
                    if begin in self.closing or begin == start
                    else None
                )
                cue_start = begin
            else:
                if _EN_PASSIVE.search(left):
                    return []
                who = self._english_who(self.text[begin : match.start()], left, i)
                cue_start = begin + len(left) - len(left.lstrip(" ,"))
            if who is None:
                return []
            at = match.end()
            while at < end and self.masked[at] in ", :":
                at += 1
            return [_Cue(cue_start, at, who)]
        return []

    def _english_who(self, original: str, lowered: str, i: int) -> _Who | None:
        if _EN_PRONOUN.fullmatch(lowered.strip(" ,") + " "):
            return self.known.last if self._near(i) else None
        found = mentions(lowered)
        body = found[0][2].name if found else ""
        free = original
        for start, stop, _ in found:
            free = free[:start] + " " * (stop - start) + free[stop:]
        names: list[str] = []
        for match in _EN_NAME.finditer(free):
            words = [w for w in match.group().split() if not _EN_NO_NAME.fullmatch(w.lower())]
            if words:
                names.append(" ".join(words))
        names = [
            name for name in names if name in self.known.people or " " in name or self._english_known(name)
        ]
        if names:
            if old := self._english_known(names[0]):
                return old
            if not (body or _EN_TITLE.search(lowered) or original.strip(" ,") == names[0]):
                return None
            return self._keep(names[0], body, names[0])
        if (
            found
            and _EN_REST.match(lowered, found[-1][1])
            and re.match(r"[\sa-z,]*$", lowered[: found[0][0]])
        ):
            title = _EN_TITLE.search(lowered)
            return _Who(title.group() if title else "", body)
        return None

    def _english_known(self, name: str) -> _Who | None:
        if name in self.known.people:
            return self.known.people[name]
        same = [who for known, who in self.known.people.items() if name in known.split()]
        return same[0] if len(same) == 1 else None


_ADDRESS = re.compile(rf"(.)(?:{_FORMS_OF_ADDRESS})(?={_AFTER.pattern})")
_DOTTED = re.compile(rf"[\u4e00-\u9fff]{{1,6}}(?:·[\u4e00-\u9fff]{{1,6}}){{1,3}}?(?={_AFTER.pattern})")
_JOINT = re.compile("(?:与此同时|同时|此外|另外),")
_CONCESSIVE = re.compile("尽管|虽然|如果|若|即使")
_SEPARATOR = re.compile("[;”]")
_CLAUSE = re.compile(r"[^,。;:!?“”\n]{2,60}(?=,)")
_EN_NO_NAME = re.compile(
    rf"(?:{_TITLE_WORDS}|the|on|in|at|a|an|but|and|district|city|county|municipal|bureau|department|office|commission|"
    "committee|monday|tuesday|wednesday|thursday|friday|saturday|sunday|mr|mrs|ms|dr|this|these|for|after|when|however)"
)


def _joint_end(sentence: str) -> int:
    """Where the sentence goes on after "与此同时，"."""
    joint = _JOINT.match(sentence)
    return joint.end() if joint else 0


def _opens_quote(masked: str, at: int) -> bool:
    return masked[at : at + 1] == "“"


def _ends_here(subject: str, at: int) -> bool:
    """Whether the name of a body that ends here is the whole subject, but for a bracket and what goes with the verb."""
    if subject[at : at + 1] == "(":
        shut = subject.find(")", at)
        return shut >= 0 and _AFTER.match(subject, shut + 1) is not None
    return _AFTER.match(subject, at) is not None


def _looks_named(name: str) -> bool:
    return (
        name[0] in _SURNAMES
        and name[-1] not in _ADVERBS
        and _NO_NAME.search(name) is None
        and all("\u4e00" <= c <= "\u9fff" for c in name)
    )


def _no_word(name: str) -> bool:
    """Whether the dictionary does not know it: "白宫" and "方案" begin with surnames too."""
    from rag.text import segmenter

    # It also knows some full names, all of them rare.
    return (segmenter().FREQ.get(name) or 0) <= (_RARE if len(name) > 2 else 0)
