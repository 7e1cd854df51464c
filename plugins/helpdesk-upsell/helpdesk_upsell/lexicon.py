"""Words of anger in English and Chinese. Few and clear ones: a wrong “angry” only costs a suggestion."""

import re
from functools import lru_cache

# Whole words and phrases. No mild complaints: that something is late or broken is what tickets are about.
ENGLISH = (
    "absurd", "angry", "annoyed", "annoying", "appalling", "atrocious", "awful", "bullshit", "can't stand",
    "complaint", "crap", "damn", "disappointed", "disappointing", "disgrace", "disgraceful", "disgusted",
    "disgusting", "dreadful", "enraged", "fed up", "frustrated", "frustrating", "fucking", "furious", "garbage",
    "had enough", "horrible", "hopeless", "idiot", "idiots", "incompetent", "infuriating", "insane", "insulting",
    "joke of a", "lawyer", "legal action", "liar", "liars", "livid", "lousy", "money back", "never again",
    "nightmare", "not acceptable", "outrage", "outrageous", "pathetic", "pissed", "refund immediately", "ridiculous",
    "rip-off", "ripoff", "rubbish", "scam", "scammers", "shame on you", "shit", "sick of", "sue you", "terrible",
    "the worst", "thieves", "unacceptable", "unbelievable", "useless", "waste of money", "waste of time",
    "worst service", "wtf",
)  # fmt: skip
# Parts of sentences; simplified and traditional.
CHINESE = (
    "生气", "生氣", "愤怒", "憤怒", "气死", "氣死", "气愤", "氣憤", "火大", "恼火", "惱火", "投诉", "投訴", "骗子",
    "騙子", "欺骗", "欺騙", "诈骗", "詐騙", "坑人", "坑爹", "垃圾", "太差", "很差", "极差", "極差", "差劲", "差勁",
    "差评", "差評", "失望", "忍无可忍", "忍無可忍", "受够了", "受夠了", "无语", "無語", "离谱", "離譜", "荒唐",
    "可笑", "恶心", "噁心", "混蛋", "王八蛋", "他妈的", "他媽的", "滚蛋", "滾蛋", "白痴", "再也不买", "再也不買",
    "再也不会", "再也不會", "不可接受", "无法接受", "無法接受", "不能接受", "浪费时间", "浪費時間", "浪费钱",
    "浪費錢", "退钱", "退錢", "消费者协会", "消費者協會", "12315", "律师", "律師", "起诉", "起訴", "曝光你们",
    "曝光你們", "什么态度", "什麼態度", "没人管", "沒人管", "烂透", "爛透", "糟透", "糟糕透",
)  # fmt: skip
# What takes the anger out of the words behind it.
_NOT = re.compile(r"\b(?:not|no longer|isn't|wasn't|aren't|never|no|nothing|hardly)\s+(?:\w+\s+){0,2}$", re.IGNORECASE)
_NOT_CHINESE = ("不", "没", "没有", "沒", "沒有", "别", "別", "并不", "並不", "不用", "不会", "不是")
_SHOUTED = re.compile(r"\b[A-Z]{3,}(?:[\s,]+[A-Z]{2,}){3,}")


def is_angry(text: str, more: str = "") -> bool:
    """Whether somebody who writes so is angry: one of the words, not denied, or a sentence in capitals, or “!!!”.

    ``more``: further words, with commas between them.
    """
    plain = text.replace("’", "'")
    if "!!!" in plain or "！！！" in plain or _SHOUTED.search(plain):
        return True
    if any(not _is_denied(plain, found.start()) for found in _english(more).finditer(plain)):
        return True
    return any(_has_chinese(plain, one) for one in (*CHINESE, *_others(more)))


@lru_cache(maxsize=64)
def _english(more: str) -> re.Pattern[str]:
    every = (*ENGLISH, *(one for one in _split(more) if one.isascii()))
    return re.compile(r"(?<!\w)(?:" + "|".join(re.escape(one) for one in every) + r")(?!\w)", re.IGNORECASE)


@lru_cache(maxsize=64)
def _others(more: str) -> tuple[str, ...]:
    return tuple(one for one in _split(more) if not one.isascii())


def _split(more: str) -> list[str]:
    return [part.strip() for part in re.split(r"[,，、،;；؛\n]", more) if part.strip()]


def _is_denied(text: str, start: int) -> bool:
    return _NOT.search(text[max(0, start - 40) : start]) is not None


def _has_chinese(text: str, one: str) -> bool:
    start = text.find(one)
    while start != -1:
        if not text[max(0, start - 2) : start].endswith(_NOT_CHINESE):
            return True
        start = text.find(one, start + 1)
    return False
