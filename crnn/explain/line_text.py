"""The words of `crnn explain line` and `crnn explain saliency`, in English and Chinese, as HTML without anything from
outside; numbers come from the network at hand."""

from __future__ import annotations

from crnn.model.crnn import CRNN

QUANTITIES_ZH = {
    "i": ("输入门", "候选值写入多少：0 完全不写，1 全部写入"),
    "f": ("遗忘门", "旧的记忆保留多少：0 清空，1 全部保留"),
    "g": ("候选值", "可以写入记忆的内容"),
    "o": ("输出门", "记忆对外展示多少"),
    "c": ("长期记忆，即单元状态", "c = f · 上一步的 c + i · g"),
    "h": ("短期记忆，即输出", "h = o · tanh(c)"),
}
"""Name in `crnn.explain.gates.Walk` -> title and meaning."""
ORDERS_ZH = {
    "character": "h 与出现字符的列的相关程度",
    "space": "h 与出现空格的列的相关程度",
    "peak": "|h| 最大的那一列",
    "stored": "在权重中的位置",
}
"""As `crnn.explain.order.ORDERS`."""


def walk_words(layer: int, backward: bool, single: bool = False) -> tuple[str, str]:
    """A layer (from 0) and direction, in English and in Chinese; `single`: there is only one of them."""
    way = ("right to left", "从右往左") if backward else ("left to right", "从左往右")
    return way if single else (f"layer {layer + 1}, {way[0]}", f"第 {layer + 1} 层，{way[1]}")


def facts(network: CRNN, columns: int, step: int, height: int, width: int) -> dict[str, tuple[str, str]]:
    """What the head of both pages says of a network and a picture."""
    lstm = network.lstm
    ways = ("both directions", "双向") if lstm.bidirectional else ("one direction", "单向")
    return {
        "reading": ("Reading:", "读出的文字："),
        "best-path": ("Reading, by the best path, shown here:", "读出的文字（最佳路径，如下所示）："),
        "decoded": (
            "By the model's decoder, as <code>crnn recognize</code>:",
            "模型的解码器（与 <code>crnn recognize</code> 相同）：",
        ),
        "picture": (
            f"picture <b>{width} × {height}</b> pixels, scaled",
            f"缩放后的图片 <b>{width} × {height}</b> 像素",
        ),
        "columns": (
            f"<b>{columns}</b> columns of <b>{step}</b> pixels",
            f"<b>{columns}</b> 列，每列宽 <b>{step}</b> 像素",
        ),
        "features": (f"<b>{lstm.input_size}</b> features per column", f"每列 <b>{lstm.input_size}</b> 个特征"),
        "layers": (
            f"<b>{lstm.num_layers}</b> LSTM layers, {ways[0]}, <b>{lstm.hidden_size}</b> units",
            f"<b>{lstm.num_layers}</b> 层 LSTM，{ways[1]}，<b>{lstm.hidden_size}</b> 个单元",
        ),
    }


LINE = {
    "title": ("How the network reads this line", "网络怎样读这一行"),
    "lead": (
        "A CNN turns the picture into columns, an LSTM reads the columns, and each column votes for a "
        "character. Here is "
        "every number on that way, for one line.",
        "CNN 把图片变成一列一列的特征，LSTM 依次读这些列，每一列再对字符投票。这里给出一行文字在这条路上的每一个数。",
    ),
    "nothing": ("(nothing)", "（无）"),
    "p": ("probability of the text", "这段文字的概率"),
    "c-text": ("From columns to text", "从列到文字"),
    "text": (
        "In every column the network gives each character, and the <em>blank</em>, a probability. The "
        "likeliest class of "
        "each column makes the path. Repeats are merged and blanks dropped; what is left is the text, and the "
        "columns of "
        "a character say where it stands. A blank between two equal letters keeps them apart.",
        "在每一列，网络都给每个字符以及<em>空白符</em>一个概率。每列概率最大的类别连成路径；先合并相邻的重复，"
        "再去掉空白符，"
        "剩下的就是文字，而一个字符占用的列说明它在图中的位置。两个相同字母之间要有空白符，才不会被合并成一个。",
    ),
    "log": ("Log-probabilities over time", "各时间步的对数概率"),
    "log-note": (
        "only characters that reach 5 % in some column or are on the path; the others stay dark",
        "只列出在某一列达到 5 % 或位于路径上的字符，其余的始终很暗",
    ),
    "point": (
        "Point at anything for its numbers. With the keyboard: Tab to a map, then the arrow keys.",
        "将鼠标移到图上可查看数值；也可用 Tab 键选中图，再用方向键移动。",
    ),
    "c-lstm": ("Inside the LSTM", "LSTM 内部"),
    "lstm": (
        "Each row is one unit, each column one time step, aligned with the picture. A unit carries a long memory "
        "<em>c</em> along the line. Three gates decide at every step what is written (<em>i</em>), what is kept "
        "(<em>f</em>) and what is shown (<em>o</em>). What is shown is the short memory <em>h</em>; the next layer, or "
        "the vote, reads it. A walk from right to left starts at the last column, so that the letters to come have a "
        "say, too.",
        "每行是一个单元，每列是一个时间步，并与图片对齐。每个单元带着长期记忆 <em>c</em> 沿着这一行走。"
        "每一步由三个门决定："
        "写入多少（<em>i</em>）、保留多少（<em>f</em>）、展示多少（<em>o</em>）。展示出来的就是短期记忆 <em>h</em>，"
        "供下一层或最后的投票使用。从右往左的扫描从最后一列开始，这样后面的字母也能起作用。",
    ),
    "sorted": ("units sorted by", "单元排序依据"),
    "c-unit": ("One unit", "单个单元"),
    "unit": (
        "Click a row above, or name a unit. It starts with the one whose forget gate closes most clearly where "
        "characters are named, unless another one was asked for. The numbers below are those of the column under the "
        "cursor.",
        "点击上面的任意一行，或者输入单元编号。除非另外指定，一开始显示的是遗忘门在字符处关闭得最明显的那个单元。"
        "下面的数值属于光标所在的列。",
    ),
    "unit-name": ("unit", "单元"),
    "i": ("input gate <em>i</em>", "输入门 <em>i</em>"),
    "f": ("forget gate <em>f</em>", "遗忘门 <em>f</em>"),
    "o": ("output gate <em>o</em>", "输出门 <em>o</em>"),
    "c": ("long memory <em>c</em>", "长期记忆 <em>c</em>"),
    "g": ("candidate <em>g</em>", "候选值 <em>g</em>"),
    "h": ("short memory <em>h</em>", "短期记忆 <em>h</em>"),
    "source": ("Picture:", "图片："),
    "foot": (
        "Computed step by step from the equations of Hochreiter and Schmidhuber (<em>Long Short-Term "
        "Memory</em>, 1997) "
        "with the forget gate of Gers, Schmidhuber and Cummins (<em>Learning to Forget</em>, 2000), and the same as "
        "torch's <code>nn.LSTM</code>. Path and text: Graves et al., <em>Connectionist Temporal Classification</em>, "
        "2006, section 3.2. Probabilities are the network's own, before the temperature that <code>crnn "
        "recognize</code> "
        "puts on them. The gates, <em>g</em> and <em>h</em> are kept in 256 steps.",
        "按 Hochreiter 与 Schmidhuber（<em>Long Short-Term Memory</em>，1997）的公式逐步计算，遗忘门出自 "
        "Gers、Schmidhuber "
        "与 Cummins（<em>Learning to Forget</em>，2000），结果与 torch 的 <code>nn.LSTM</code> 相同。"
        "路径与文字：Graves 等，"
        "<em>Connectionist Temporal Classification</em>，2006，第 3.2 节。概率是网络本身的输出，尚未经过 "
        "<code>crnn recognize</code> 使用的温度。各个门以及 <em>g</em>、<em>h</em> 以 256 级保存。",
    ),
}
"""Name of a part of the line's page -> it in English and in Chinese."""


def saliency_words(field: int, bidirectional: bool) -> dict[str, tuple[str, str]]:
    """As `LINE`, of the saliency page; `field`: pixels that the CNN spans."""
    ways = ("in both directions", "从两个方向") if bidirectional else ("from left to right", "从左往右")
    return {
        "title": ("Where the reading comes from", "文字是从哪里读出来的"),
        "lead": (
            "Which pixels made each character, and how far to the left and right the network really looks.",
            "每个字符由哪些像素决定，网络实际上向左右看多远。",
        ),
        "c-pixels": ("The pixels of a character", "一个字符的像素"),
        "pixels": (
            "Choose a character. Orange pixels move its log-probability most: make them darker or lighter, and the "
            "network is more or less sure of it. Where the orange lies beside the character, the network uses its "
            "neighbours.",
            "选择一个字符。橙色像素对它的对数概率影响最大：把它们变深或变浅，网络对这个字符就更有把握或更没把握。"
            "如果橙色落在字符旁边，说明网络利用了相邻的字符。",
        ),
        "strongest": ("|gradient|, the strongest pixel is 1", "|梯度|，最强的像素为 1"),
        "all": ("All characters", "所有字符"),
        "all-note": ("one row each: the map above, summed over its height", "每个字符一行：把上图沿高度方向求和"),
        "point": (
            "Point at anything for its numbers; click a row to see its pixels. With the keyboard: Tab to a "
            "map, then the "
            "arrow keys, Enter.",
            "将鼠标移到图上可查看数值；点击一行可看到它的像素。也可用 Tab 键选中图，再用方向键和回车键。",
        ),
        "c-far": ("How far it looks", "它看多远"),
        "far": (
            f"Without the LSTM a column would know <b>{field} pixels</b> of the picture, what the CNN's "
            "convolutions and "
            f"pools span, and use mostly the middle of them. The LSTM walks {ways[0]} and brings what it remembers. "
            "Shares of influence by distance, averaged over the line:",
            f"没有 LSTM 时，一列只知道图片中的 <b>{field} 个像素</b>，也就是 CNN 的卷积和池化覆盖的范围，"
            "而且主要利用其中间部分。"
            f"LSTM {ways[1]}扫描，把记住的内容带过来。下面是各距离上的影响所占的比例，对整行取平均：",
        ),
        "half": ("half of the influence within", "一半的影响在此范围内"),
        "most": ("90 % within", "90 % 在此范围内"),
        "by-distance": ("Influence of pixels by distance", "像素的影响与距离"),
        "by-distance-note": ("share of one pixel column, logarithmic", "一个像素列所占的比例，对数刻度"),
        "context": ("The LSTM, column by column", "逐列看 LSTM"),
        "context-note": (
            "row: the column that speaks; across: the column that it heard; shares of each row sum to 1",
            "行：输出的列；横向：它听到的列；每行的比例之和为 1",
        ),
        "source": LINE["source"],
        "foot": (
            "Characters: gradients of log-probabilities (Simonyan, Vedaldi and Zisserman, 2013), averaged over 8 "
            "pictures with noise of 10 % (Smilkov et al., <em>SmoothGrad</em>, 2017). Distances: size of the Jacobian "
            "(Luo et al., <em>Effective Receptive Field</em>, 2016) of the CNN's features, or of the LSTM's output, "
            "estimated with random vectors (Hutchinson, 1990). A gradient says what a small change would do, "
            "not what a "
            "large one would.",
            "字符：对数概率的梯度（Simonyan、Vedaldi 与 Zisserman，2013），在 8 张加了 10 % "
            "噪声的图片上取平均（Smilkov 等，"
            "<em>SmoothGrad</em>，2017）。距离：CNN 特征或 LSTM 输出的雅可比矩阵的大小（Luo 等，<em>Effective "
            "Receptive "
            "Field</em>，2016），用随机向量估计（Hutchinson，1990）。梯度说明的是微小变化的作用，"
            "而不是较大变化的作用。",
        ),
    }


REACH_ZH = {
    "the LSTM alone": "仅 LSTM",
    "the CNN alone": "仅 CNN",
    "CNN and LSTM": "CNN 与 LSTM",
    " columns": " 列",
    " pixels": " 像素",
}
"""What stands in `crnn.explain.saliency_page.reach_rows`."""
