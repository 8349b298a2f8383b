"""Tables to lines that can be understood alone: every row names its columns ("姓名：李敏；职务：局长").

Shared by all loaders that meet tables. Pure: a grid of cell texts goes in, blocks come out, nothing is raised.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ingest.loading.blocks import Block
from rag.text import HAN

_LONGEST_HEADER = 30
"""Characters of a column name; HTML and Word tables with longer first rows hold text there."""
_LONGEST_REPEAT = 200
_LONGEST_NAME = 120
"""Characters written before every value, where a file itself marks a long row as its header."""
_LONGEST_VALUE = 4
_MOST_HEADER_ROWS = 4
_MOST_COLUMNS = 20_000
"""Of a grid made from spans: above what a spreadsheet has (16,384)."""
_MOST_NAMES = 4
"""Column names written out for a cell that spans several."""
_SAMPLE_ROWS = 200
"""Rows looked at to tell what kind of table it is."""

_HAN_CHAR = re.compile(f"[{HAN}]")
_UNSPACED = re.compile(f"[{HAN}\u3000-\u303f\u30a0-\u30ff\u3040-\u309f\uff00-\uffef“”‘’—…·]")
"""What needs no space where a line was broken."""
_BLANKS = re.compile(r"[\t\x1f]+")
_NUMBER = re.compile(
    r"[<>≤≥≈约+\-−–±]?[¥$￥]?\d[\d,，. ]*\s*(?:[%％‰℃]|[eE][+-]?\d+)?"
    r"(?:[十百千万亿萬億]*[元人个個户戶项項次件家座辆輛亩畝米吨噸天日年月套名处處条條岁歲倍只公顷頃平方米里]*)?"
    r"(?:\s*[-~～—至]\s*\d[\d,.]*[%％]?\S{0,3})?"
)
_DATE = re.compile(
    r"(?:19|20)\d\d\s*[-./年]\s*\d{1,2}(?:\s*[-./月]\s*\d{1,2}\s*日?|\s*月)?(?:\s*(?:前|底|起|\d{1,2}:\d\d.*))?"
)
_PERIOD = re.compile(
    r"(?:19|20)\d\d(?:年度?|[-/]\d\d)?(?:[（(].*[)）])?|(?:1[0-2]|[1-9])月份?|[一二三四1-4]季度|Q[1-4]|[上下]半年"
    r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[。！？；;]$|[，。；].*[，。；]")
_SPACED = re.compile(rf"(?<=[{HAN}])[ \u00a0\u3000]+(?=[{HAN}])")
_LABEL_TAIL = r"(?:[（(][^（）()]{0,20}[)）])?\s*[:：]?"
_LABEL_SURE = re.compile(
    r".{0,9}(?:序号|序號|索引号|索引號|主题词|主題詞|关键词|關鍵詞|机关|機關|编号|編號|名称|名稱|姓名|单位|單位|部门|部門|机构|機構|时间|時間|日期|时限|時限|期限|电话|電話"
    r"|手机|手機|传真|傳真|邮箱|郵箱|邮编|地址|地点|地點|联系人|聯絡人|負責人|负责人|代表人|职务|職務|职称|職稱|性别|性別"
    r"|年龄|年齡|民族|学历|學歷|籍贯|籍貫|备注|備註|代码|代碼|号码|號碼|金额|金額|数量|數量|单价|單價|面积|面積|占比|比重"
    r"|增速|增幅|完成率|文号|文號|方式|类别|類別|类型|類型|年份|月份|账号|帳號|开户行|簽名|签名|盖章)"
    + _LABEL_TAIL
)
_LABEL_SHORT = re.compile(
    r".{0,4}(?:内容|內容|事项|事項|任务|任務|目标|目標|措施|要求|依据|依據|条件|條件|标准|標準|范围|範圍|对象|對象|流程"
    r"|程序|材料|种类|種類|性质|性質|等级|等級|级别|級別|状态|狀態|进度|進度|进展|進展|情况|情況|结果|結果|意见|意見|说明"
    r"|說明|价格|價格|总价|费用|費用|投资|投資|资金|資金|预算|預算|决算|規模|规模|比例|指标|指標|项目|項目|标题|標題|来源"
    r"|來源|用途|原因|岗位|崗位|周期|位置|区域|區域|区县|主体|主體|职责|職責|分工|年度|数值|完成值|目标值|同比|环比|人数"
    r"|人數|户数|主题|主題|议程|議程|会议|附件|简介|簡介)" + _LABEL_TAIL
)
_LABEL_ENGLISH = re.compile(
    r"(?:[\w.]+ ){0,3}(?:no\.?|number|name|date|time|deadline|period|year|month|unit|department|office|agency|phone|tel\.?"
    r"|telephone|fax|e-?mail|address|place|location|contact|person|post|position|title|type|category|kind|status"
    r"|progress|amount|quantity|count|price|cost|budget|total|area|share|rate|target|item|indicator|description"
    r"|details|content|project|remarks?|notes?|comments?|value|code|id|owner|district|responsible|measure|task)"
    r"(?: \([^()]{0,20}\))?:?",
    re.IGNORECASE,
)
_COLUMN_OF_LABELS = re.compile(
    r"指标(?:名称)?|指標|项目(?:名称)?|項目|名称|名稱|类别|類別|事项|事項|内容|內容|科目|类型|類型|地区|地區|区域|部门|单位|序号"
    r"|年份|年度|item|indicator|name|category|type|no\.?|measure|district|department|year",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"[（(\s]*(?:注|备注|備註|说明|說明|附注|资料来源|單位|单位|合计|總計|总计|小计|小計|notes?\b|source\b|total\b)",
    re.I,
)

_TOTAL = re.compile(r"合\s*计|總\s*計|总\s*计|(?:grand )?total\b", re.IGNORECASE)


class Merged(str):
    """The text of a cell, repeated in the columns to the right that the cell spans."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as a file gives it: its text, and how many columns and rows it covers (0 rows: all that follow)."""

    text: str
    colspan: int = 1
    rowspan: int = 1


def one_line(text: str) -> str:
    """The text without line breaks: a space takes their place between Latin words, nothing beside Han characters."""
    if not text.isprintable():
        text = _BLANKS.sub(" ", text)
        lines = [stripped for line in text.splitlines() if (stripped := line.strip())]
        if not lines:
            return ""
        pieces = [lines[0]]
        for before, after in zip(lines, lines[1:], strict=False):
            if not (_UNSPACED.match(before[-1]) or _UNSPACED.match(after[0])):
                pieces.append(" ")
            pieces.append(after)
        text = "".join(pieces)
    return text.strip()


def join_lines(lines: Iterable[str]) -> str:
    """The paragraphs of one cell as a line.

    One or two characters to a paragraph are a word broken by a narrow column; between others a space marks the end.
    """
    text = ""
    for line in lines:
        line = one_line(line)
        if text and line:
            broken = max(len(text), len(line)) <= 2 or text[-1] in "。；，、：！？;,:("
            text = one_line(f"{text}\n{line}") if broken else f"{text} {line}"
        else:
            text = text or line
    return text


def repeated_below(text: str) -> str:
    """What the rows below hold of a cell that reaches down into them: a long text would be told again in each."""
    return text if len(text) <= _LONGEST_REPEAT else ""


def expand_spans(rows: Sequence[Sequence[Cell]], limit: int = 500_000) -> list[list[str]]:
    """The grid that cells with spans stand for: a cell's text is repeated wherever it reaches.

    Repeats to the right are `Merged`, so that `table_blocks` can tell them from equal values. A long text is not
    repeated downwards. ``limit`` is the most cells that repeating may add: beyond it spans count as 1, and every
    cell's own text is kept. Never raises.
    """
    grid: list[list[str]] = []
    reaching: dict[int, tuple[str, int]] = {}
    """Column to the text that reaches down into it and the last row that it reaches."""
    width = 0
    budget = limit
    for index, row in enumerate(rows):
        line: list[str] = []
        upcoming = iter(row)
        cell = next(upcoming, None)
        last = max(reaching, default=-1)
        while cell is not None or (len(line) <= last and budget > 0):
            column = len(line)
            if column in reaching:
                line.append(reaching[column][0])
            elif cell is None:
                line.append("")
                budget -= 1
            else:
                across = 1
                most = min(cell.colspan, _MOST_COLUMNS - column, budget)
                while across < most and column + across not in reaching:
                    across += 1
                down = (
                    len(rows) - index if cell.rowspan == 0 else max(1, min(cell.rowspan, len(rows) - index))
                )
                if across * down > budget:
                    down = 1
                budget -= across * down - 1
                width = max(width, column + 1)
                line.append(cell.text)
                line.extend([Merged(cell.text)] * (across - 1))
                if down > 1:
                    below = repeated_below(cell.text)
                    reaching.update(
                        (column + k, (Merged(below) if k else below, index + down - 1)) for k in range(across)
                    )
                cell = next(upcoming, None)
        reaching = {column: reach for column, reach in reaching.items() if reach[1] > index}
        grid.append(line)
    # Columns in which no cell begins exist only through a span that claims too much.
    return [line[:width] for line in grid]


def table_blocks(
    grid: Sequence[Sequence[str]],
    *,
    header_rows: int | None = None,
    page: int | None = None,
    title_level: int = 0,
) -> list[Block]:
    """The blocks of a table: its title rows, then a block of kind "row" for each row of data.

    :param grid: the rows' cell texts; they may differ in length. What a merged cell covers repeats its text, to the
        right as `Merged` where the caller can tell (`expand_spans` does it)
    :param header_rows: how many of the first rows name the columns, None to guess from what they hold
    :param title_level: the heading level of a title row above the header, 0 to make it a paragraph

    Cells that are not empty all appear: those of header rows as names of the columns. Never raises.
    """
    rows, header_rows = _tidy(grid, header_rows)
    if not rows:
        return []
    width = _width(rows)
    if width == 1:
        return [Block(text, page=page) for row in rows for text in row if text]
    titles, rows = _split_titles(rows, width, header_rows)
    if header_rows is not None:
        # Where only the title was marked as header, the names of the columns are still to be found.
        header_rows = header_rows - len(titles) or (None if titles else 0)
    blocks = [
        Block(text, "heading" if title_level else "paragraph", title_level, page)
        for title in titles
        for text in _distinct(title)
    ]
    chinese = any(_HAN_CHAR.search(text) for row in rows for text in row)
    marks = _Marks("：", "；", "、", "至") if chinese else _Marks(": ", "; ", ", ", " to ")
    blocks += (Block(text, "row", page=page) for text in _row_texts(rows, width, header_rows, marks) if text)
    return blocks


@dataclass(frozen=True, slots=True)
class _Marks:
    colon: str
    stop: str
    comma: str
    to: str

    def named(self, name: str, value: str) -> str:
        if not name or not value or name == value:
            return value or name
        if name.endswith((":", "：")):
            return name + (" " if name[-1] == ":" and self.colon == ": " else "") + value
        return name + self.colon + value


def _tidy(grid: Sequence[Sequence[str]], header_rows: int | None) -> tuple[list[list[str]], int | None]:
    """The rows that hold something, each cell on one line; and how many of them are of the header."""
    rows: list[list[str]] = []
    headers = 0
    for index, row in enumerate(grid):
        cells = [_tidy_cell(cell) for cell in row]
        if any(cells):
            while not cells[-1]:
                cells.pop()
            rows.append(cells)
            headers += header_rows is not None and index < header_rows
    return rows, None if header_rows is None else headers


def _tidy_cell(cell: str) -> str:
    text = one_line(cell)
    return Merged(text) if isinstance(cell, Merged) else text


def _width(rows: Sequence[Sequence[str]]) -> int:
    """How many columns hold something of their own."""
    used: set[int] = set()
    for row in rows:
        used.update(
            column
            for column, text in enumerate(row)
            if text and not (isinstance(text, Merged) and column and row[column - 1] == text)
        )
    return len(used)


def _distinct(row: Sequence[str]) -> list[str]:
    """The texts of a row, those of merged cells once."""
    return [
        text
        for column, text in enumerate(row)
        if text and not (isinstance(text, Merged) and column and row[column - 1] == text)
    ]


def _spans_all(row: Sequence[str], width: int) -> bool:
    """Whether one text takes the whole row."""
    if len(row) < max(2, width) or not row[0] or any(text != row[0] for text in row):
        return False
    own = sum(not isinstance(text, Merged) for text in row)
    # A caller that cannot tell merged cells repeats them: equal numbers and "无" are values, a longer text is one.
    return own == 1 or (own == len(row) and len(row[0]) > _LONGEST_VALUE and not _is_value(row[0]))


def _split_titles(
    rows: list[list[str]], width: int, header_rows: int | None
) -> tuple[list[list[str]], list[list[str]]]:
    """The rows above the header that hold a title or a remark such as "单位：万元", and the others."""
    count = 0
    for row in rows[: len(rows) - 1 if header_rows is None else min(header_rows, len(rows) - 1)]:
        # In the first column or the last: in the second, above data, it is the name of that column.
        rest = rows[count + 1 :]
        # Above two columns a first row half empty may be data, unless all below is complete.
        room = width >= 3 or (len(rest) >= 2 and all(len(_distinct(other)) == 2 for other in rest))
        alone = len(_distinct(row)) == 1 and room and (bool(row[0]) or (width >= 3 and len(row) >= width))
        if not (_spans_all(row, width) or (alone and (len(rows) - count > 2 or not row[0]))):
            break
        count += 1
    if (
        header_rows is None
        and count == len(rows) - 1
        and not all(_spans_all(row, width) for row in rows[:count])
    ):
        count = 0
    return rows[:count], rows[count:]


def _row_texts(rows: list[list[str]], width: int, header_rows: int | None, marks: _Marks) -> Iterator[str]:
    if header_rows is None:
        if _is_form(rows, width):
            yield from (_form_row(row, marks) for row in rows)
            return
        header_rows = _guess_header(rows, width)
    if all(row in rows[:header_rows] for row in rows[header_rows:]):
        # Without data below it (a repeated header is none), a header is what the table has to tell.
        header_rows = 0
    if not header_rows:
        pairs = width == 2 and _has_short_keys(rows)
        for row in rows:
            texts = _distinct(row)
            yield marks.named(*texts) if pairs and len(texts) == 2 else marks.stop.join(texts)
        return
    headers = rows[:header_rows]
    names = _column_names(headers)
    section = ""
    for index, row in enumerate(rows[header_rows:], header_rows):
        if row in headers:
            continue
        if _spans_all(row, width):
            yield row[0]
            # What stands across the table names the rows below it, unless it is a remark on them.
            following = rows[index + 1] if index + 1 < len(rows) else None
            if following is None or not _names_rows(row[0]):
                section = ""
            elif not _spans_all(following, width):
                section = row[0]
            continue
        parts = _named_parts(row, names, marks)
        in_section = section and not _TOTAL.match(row[0])
        yield marks.stop.join([section, *parts] if in_section else parts)


def _names_rows(text: str) -> bool:
    return len(text) <= _LONGEST_HEADER and not _SENTENCE_END.search(text) and not _ASIDE.match(text)


def _named_parts(row: Sequence[str], names: Sequence[str], marks: _Marks) -> list[str]:
    parts: list[str] = []
    column = 0
    while column < len(row):
        text = row[column]
        end = column + 1
        while (
            end < len(row) and row[end] == text and (isinstance(row[end], Merged) or _same_name(names, end))
        ):
            end += 1
        if text:
            # A text that spans columns from the first on ("合计") stands for the row, not under their names.
            spanning = column == 0 and end > 1 and not _same_name(names, end - 1)
            parts.append(text if spanning else marks.named(_joined(names[column:end], marks), text))
        column = end
    return parts


def _same_name(names: Sequence[str], column: int) -> bool:
    return column < len(names) and bool(names[column]) and names[column] == names[column - 1]


def _joined(names: Sequence[str], marks: _Marks) -> str:
    found = list(dict.fromkeys(name for name in names if name))
    if len(found) > _MOST_NAMES:
        return found[0] + marks.to + found[-1]
    return marks.comma.join(found)


def _column_names(headers: Sequence[Sequence[str]]) -> list[str]:
    """One name for each column: the levels of the header above it, "上级/下级"."""
    names = []
    for column in range(max(len(row) for row in headers)):
        levels = (row[column] for row in headers if column < len(row))
        names.append("/".join(dict.fromkeys(level for level in levels if level))[:_LONGEST_NAME].strip())
    return names


def _is_label(text: str) -> bool:
    text = _SPACED.sub("", text)  # "名 称", spread out to the width of its column
    if not text or len(text) > _LONGEST_HEADER:
        return False
    return any(p.fullmatch(text) for p in (_LABEL_SURE, _LABEL_SHORT, _LABEL_ENGLISH)) or text.endswith(
        ("：", ":")
    )


def _is_value(text: str) -> bool:
    """Whether this is a number or a date: what a cell of data holds, not the name of a column."""
    text = text.replace("\xa0", " ").strip()
    if _PERIOD.fullmatch(text):
        return False
    return len(text) <= 40 and bool(_NUMBER.fullmatch(text) or _DATE.fullmatch(text))


def _share(texts: Iterable[str]) -> float:
    """The share of labels."""
    found = [_is_label(text) for text in texts]
    return sum(found) / len(found) if found else 0.0


def _is_form(rows: Sequence[Sequence[str]], width: int) -> bool:
    """Whether labels and their values stand side by side, as in a form, in 2, 4 or 6 columns."""
    longest = max(len(row) for row in rows)
    if width != longest or width % 2 or width > 6:
        return False
    sample = rows[:_SAMPLE_ROWS]
    first = sample[0]
    if not first[0] or (
        len(sample) > 1
        and _COLUMN_OF_LABELS.fullmatch(first[0])
        and all(_is_label(text) or _PERIOD.fullmatch(text) for text in first[1:] if text)
    ):
        return False
    labels = [text for row in sample for text in row[::2] if text and not isinstance(text, Merged)]
    values = [text for row in sample for text in row[1::2] if text and not isinstance(text, Merged)]
    if not values or len(set(labels)) < len(labels) * 0.8:
        return False
    of_labels, of_values = _share(labels), _share(values)
    return of_labels >= 0.6 and of_values <= of_labels - 0.5


def _form_row(row: Sequence[str], marks: _Marks) -> str:
    cells = [text for column, text in enumerate(row) if not (isinstance(text, Merged) and column)]
    parts: list[str] = []
    while cells:
        name, *rest = cells
        if rest and (len(cells) % 2 == 0 or _is_label(name)):
            parts.append(marks.named(name, rest[0]))
            cells = rest[1:]
        else:
            parts.append(name)
            cells = rest
    return marks.stop.join(part for part in parts if part)


def _has_short_keys(rows: Sequence[Sequence[str]]) -> bool:
    keys = [row[0] for row in rows]
    return all(0 < len(key) <= 20 and not _is_value(key) for key in keys) and len(set(keys)) == len(keys)


def _guess_header(rows: Sequence[Sequence[str]], width: int) -> int:
    """How many of the first rows name the columns."""
    if len(rows) < 2 or not _could_name_columns(rows[0], width):
        return 0
    count = 1
    while (
        count < min(_MOST_HEADER_ROWS, len(rows) - 1)
        and _has_groups(rows[count - 1])
        and _continues_header(rows[count - 1], rows[count], width)
    ):
        count += 1
    names = _column_names(rows[:count])
    below = [row for row in rows[count : count + _SAMPLE_ROWS] if row not in rows[:count]]
    evidence = sum(_differs(rows[count - 1], name, column, below) for column, name in enumerate(names))
    return count if evidence and evidence * 3 >= width else 0


def _could_name_columns(row: Sequence[str], width: int) -> bool:
    texts = [text for text in row if text]
    return (
        len(texts) >= width * 0.6
        and all(len(text) <= _LONGEST_HEADER and not _SENTENCE_END.search(text) for text in texts)
        and not any(_is_value(text) for text in texts)
    )


def _has_groups(row: Sequence[str]) -> bool:
    """Whether one name stands over several columns."""
    return any(a and a == b for a, b in zip(row, row[1:], strict=False))


def _continues_header(above: Sequence[str], row: Sequence[str], width: int) -> bool:
    if not _could_name_columns(row, width) or list(row) == list(above):
        return False
    # Outside the groups a header that is two rows high is merged downwards, or its lower cells are empty.
    for column, text in enumerate(row):
        upper = above[column] if column < len(above) else ""
        neighbours = (*above[max(0, column - 1) : column], *above[column + 1 : column + 2])
        grouped = upper in neighbours
        if text and upper and not grouped and text != upper:
            return False
    return True


def _differs(row: Sequence[str], name: str, column: int, below: Sequence[Sequence[str]]) -> bool:
    """Whether what stands below a possible column name is of another kind."""
    values = [line[column] for line in below if column < len(line) and line[column]]
    own = row[column] if column < len(row) else ""
    if not own and not name:
        # An empty corner above row names.
        return column == 0 and bool(values) and not any(_is_value(value) for value in values)
    if own in values:
        return False
    if _is_label(own) or _PERIOD.fullmatch(own):
        return True
    if not values:
        return False
    numbers = sum(_is_value(value) for value in values)
    return numbers * 2 >= len(values) or sum(map(len, values)) >= 2 * len(own) * len(values)
