"""Microseconds a post for the analyser, in batch, by kind of text. The budget for plain Latin text is 20 µs.

python bench/bench_text.py [--fail-over MICROSECONDS]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence

from hustings.text import analyse_all, locate

BATCH = 512
LENGTH = 250

SENTENCES = {
    "plain Latin": (
        "The polling station on the north side opens at eight and closes in the evening. ",
        "Nobody has shown any proof that the count in our district was wrong, and people should wait. ",
        "We watched the debate together; the candidate spoke about schools, water and roads! ",
    ),
    "curly quotes and accents": (
        "She said “wait for the count” — and it’s what everybody did, señora, até amanhã. ",
        "La présidente a déclaré que l’élection n’aura pas été reportée, contrairement aux rumeurs. ",
        "Die Wählerinnen müssen früh aufstehen, weil das Büro früher schließt – so heißt es. ",
    ),
    "tags, links, numbers": (
        "Polls close at 20:00 in 14 districts, says @election_office https://example.org/news/2026 #VoteNow ",
        "Turnout was 61.5% in 2026 against 58% in 2021 #turnout, more at https://example.org/turnout ",
        "RT @north_desk: no, the date has not changed, see #Facts2026 and ask your own office first ",
    ),
    "disguised": (
        "they st0le the v0te and h4te us, v.o.t.e n o w or cry, sooooo many l1es in the e1ection ",
        "the vоtе was stоlеn by them, ask the 𝐯𝐨𝐭𝐞𝐫𝐬, they kn\u200bow the truth about the b!tch in charge ",
        "w a k e u p people, the c\u0336o\u0336u\u0336n\u0336t\u0336 is a l1e and the b@stards know it well ",
    ),
    "Cyrillic": (
        "Избирательный участок открыт с восьми утра, и никто не доказал, что подсчёт был неверным. ",
        "Вчера кандидаты спорили о школах и дорогах, а завтра будет объявлен день голосования. ",
    ),
    "Arabic": (
        "تفتح مراكز الاقتراع أبوابها في الثامنة صباحًا وتغلق في المساء، ولم يثبت أحد أن الفرز كان خاطئًا. ",
        "قالت المرشحة إن موعد الانتخابات لم يتغير، وإن على الناس أن يسألوا المكتب القريب منهم. ",
    ),
    "Hindi": (
        "मतदान केंद्र सुबह आठ बजे खुलता है और शाम को बंद होता है, किसी ने गिनती पर सवाल नहीं उठाया। ",
        "उम्मीदवार ने कहा कि मतदान की तारीख नहीं बदली है और लोगों को अपने दफ़्तर से पूछना चाहिए। ",
    ),
    "Chinese": (
        "投票站早上八点开门,晚上关门,没有人证明计票有误。候选人说选举日期没有改变,请大家向本地办公室询问。",
        "昨天的辩论谈到了学校、供水和道路,明天将公布投票结果。请不要相信没有来源的消息。",
    ),
}


def posts(kind: str) -> list[str]:
    """A batch of posts of about LENGTH characters, all different."""
    sentences = SENTENCES[kind]
    made: list[str] = []
    for i in range(BATCH):
        text = f"{chr(97 + i % 26)}{chr(97 + i // 26)} "
        while len(text) < LENGTH - 20:
            text += sentences[(i + len(text)) % len(sentences)]
        made.append(text[:LENGTH])
    return made


def microseconds(work: Callable[[Sequence[str]], object], batch: Sequence[str]) -> float:
    """The best of some rounds, a post."""
    best = float("inf")
    for _ in range(12):
        start = time.perf_counter()
        work(batch)
        best = min(best, time.perf_counter() - start)
    return best / len(batch) * 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fail-over", type=float, help="exit with 1 when plain Latin costs more microseconds a post")
    limit = parser.parse_args().fail_over
    plain = 0.0
    print(f"{'µs a post of ' + str(LENGTH) + ' characters':32} {'analyse_all':>12} {'locate':>10}")
    for kind in SENTENCES:
        batch = posts(kind)
        cost = microseconds(analyse_all, batch)
        slow = microseconds(lambda texts: [locate(text) for text in texts], batch[:64])
        print(f"{kind:32} {cost:12.1f} {slow:10.1f}")
        plain = cost if kind == "plain Latin" else plain
    return 1 if limit is not None and plain > limit else 0


if __name__ == "__main__":
    sys.exit(main())
