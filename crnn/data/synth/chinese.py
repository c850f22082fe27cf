"""Chinese texts: words and running text without spaces; notations of numbers, dates, places, forms and shops."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from crnn.data.synth.pen import UPPER, Pen
from crnn.data.synth.regions import is_han

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_NUMERALS, _BANK_NUMERALS = "零一二三四五六七八九十", "零壹贰叁肆伍陆柒捌玖拾"
_COUNTERS = "个只件本张台支瓶盒包箱套双把条块份杯碗次年月天人层楼室户"
_UNITS = (
    "千克", "公斤", "克", "吨", "升", "毫升", "米", "厘米", "毫米", "公里", "平方米", "kg", "ml", "g", "cm",
    "%", "℃", "元/斤", "斤",
)  # fmt: skip
_FIRMS = (
    "有限公司", "股份有限公司", "商店", "超市", "餐厅", "药房", "酒店", "银行", "集团", "书店", "医院", "小学",
    "大学", "饭店",
)  # fmt: skip
_FIELDS = (
    "姓名", "性别", "年龄", "出生日期", "住址", "电话", "传真", "手机", "单位", "日期", "备注", "编号", "签名",
    "金额", "合计", "小计", "总计", "应收", "实收", "找零", "数量", "单价", "品名", "规格", "收银员", "订单号",
    "流水号", "税号", "开户行", "账号", "有效期", "生产日期", "保质期", "产地", "净含量", "配料", "地址",
    "邮编", "发票代码", "发票号码", "价税合计", "购买方", "销售方",
)  # fmt: skip
_WEEKDAYS = "一二三四五六日"
_PLACES = (("省", "市"), ("市", "区"), ("县", "镇"), ("区", "街道"))


@lru_cache(maxsize=8)
def han_of(allowed: frozenset[str]) -> str:
    """The Chinese characters of a charset, ordered."""
    return "".join(sorted(c for c in allowed if is_han(c)))


def _word(pen: Pen) -> str:
    """A word; a few characters at random where there are no words."""
    return pen.words.draw(pen.rng) or _random(pen, 1, 3)


def _random(pen: Pen, fewest: int, most: int) -> str:
    han = han_of(pen.allowed)
    return pen.some(han, pen.number(fewest, most)) if han else ""


def word(pen: Pen) -> str:
    """One to three words, as on a sign."""
    return "".join(_word(pen) for _ in range(pen.number(1, 3)))


def prose(pen: Pen) -> str:
    """A line cut out of running text."""
    room = pen.room if pen.chance(0.5) else pen.number(min(4, pen.room), pen.room)
    text = ""
    while len(text) < room:
        made, draw = _word(pen), pen.rng.random()
        if draw < 0.04:
            made = pen.one(("“{}”", "《{}》", "（{}）", "【{}】", "「{}」", "‘{}’", "({})")).format(made)
        elif draw < 0.07:
            made = f"{pen.number(1, 3000)}{pen.one(_COUNTERS)}"
        elif draw < 0.08:
            made = pen.some(UPPER, pen.number(1, 4))
        draw = pen.rng.random()
        text += made + (
            "，" if draw < 0.12 else "、" if draw < 0.15 else pen.one("。。。！？；：…") if draw < 0.22 else ""
        )
    return text[:room]


def rare(pen: Pen) -> str:
    """Characters of the charset, each as likely: the rare ones come in no list of words."""
    return _random(pen, 1, 12)


def number(pen: Pen) -> str:
    """Counts, sums of money and shares."""
    value = pen.amount()
    return pen.one(
        (
            f"￥{value:.2f}",
            f"{value:.2f}元",
            f"{int(value)}元",
            f"人民币{pen.some(_BANK_NUMERALS[1:10], 1)}佰{pen.some(_BANK_NUMERALS[1:10], 1)}拾元整",
            f"第{pen.some(_NUMERALS[1:], pen.number(1, 2))}{pen.one('章节条页期届')}",
            f"{pen.some(_NUMERALS[1:], pen.number(1, 3))}{pen.one(_COUNTERS)}",
            f"{pen.number(1, 999)}{pen.one(_COUNTERS)}",
            f"{value:.1f}%",
            f"{value:.1f}万",
            f"{pen.number(1, 500)}{pen.one(_UNITS)}",
            f"{pen.number(1, 20)}×{value:.2f}",
        )
    )


def date(pen: Pen) -> str:
    """Dates and times."""
    year, month, day = pen.number(1949, 2049), pen.number(1, 12), pen.number(1, 31)
    hour, minute = pen.number(0, 23), pen.number(0, 59)
    spelled = "".join("〇一二三四五六七八九"[int(digit)] for digit in str(year))
    return pen.one(
        (
            f"{year}年{month}月{day}日",
            f"{year}年{month:02d}月",
            f"{month}月{day}日",
            f"{year}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}",
            f"{year}/{month:02d}/{day:02d}",
            f"{year}.{month}.{day}",
            f"{spelled}年{_NUMERALS[pen.number(1, 10)]}月" if "〇" in pen.allowed else f"{year}年",
            f"星期{pen.one(_WEEKDAYS)}",
            f"{'上下'[hour // 12]}午{hour % 12}点{minute}分",
            f"{hour:02d}:{minute:02d}",
        )
    )


def place(pen: Pen) -> str:
    """An address, or a part of one."""
    upper, lower = pen.one(_PLACES)
    first, second, street = (_word(pen) if pen.chance(0.5) else _random(pen, 2, 3) for _ in range(3))
    house = f"{pen.number(1, 999)}号"
    return pen.one(
        (
            f"{first}{upper}{second}{lower}",
            f"{first}{upper}{second}{lower}{street}{pen.one(('路', '街', '大道', '巷'))}{house}",
            f"{street}路{house}{pen.number(1, 30)}栋{pen.number(101, 3299)}室",
            f"{street}{pen.one(('站', '桥', '村', '广场', '公园', '小区'))}",
        )
    )


def form(pen: Pen) -> str:
    """A field of a form or a receipt with what is written in it; a firm; a name."""
    label, name = pen.one(_FIELDS), pen.one(_SURNAMES) + _random(pen, 1, 2)
    value = pen.one((name, pen.digits(pen.number(2, 11)), f"{pen.amount():.2f}", word(pen), ""))
    return pen.one(
        (
            f"{label}：{value}",
            f"{label}:{value}",
            f"{label} {value}",
            name,
            f"{name}{pen.one(('先生', '女士', '老师', '经理'))}",
            f"{_random(pen, 2, 4)}{pen.one(_FIRMS)}",
            f"{word(pen)} {pen.number(1, 9)} {pen.amount():.2f}",
            f"{_word(pen)}({_word(pen)})",
        )
    )


def code(pen: Pen) -> str:
    """Plates, telephones and numbers of documents."""
    return pen.one(
        (
            f"{pen.one(_PROVINCES)}{pen.one(UPPER)}{pen.one(('', '·', ' '))}{pen.some(UPPER + '0123456789', 5)}",
            f"{pen.one(_PROVINCES)}{pen.one(UPPER)}{pen.digits(5)}",
            f"1{pen.digits(10)}",
            f"0{pen.digits(2)}-{pen.digits(8)}",
            f"400-{pen.digits(3)}-{pen.digits(4)}",
            f"{pen.digits(17)}{pen.one('0123456789X')}",
            f"{pen.some(UPPER, 2)}{pen.digits(8)}",
        )
    )


KINDS: dict[Callable[[Pen], str], float] = {
    word: 0.22,
    prose: 0.30,
    rare: 0.14,
    number: 0.07,
    date: 0.06,
    place: 0.06,
    form: 0.09,
    code: 0.06,
}
"""What is written in Chinese, and how often."""
