"""The words of `crnn explain lstm`, in English and Chinese; numbers come from the network at hand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Numbers:
    """Of one network and one line."""

    steps: int
    """T"""
    step: int
    """Pixels per column."""
    height: int
    width: int
    input: int
    hidden: int
    layers: int
    directions: int
    state: int
    """Numbers in h: hidden_size, or proj_size."""
    classes: int
    unit: int
    """That the drawings follow."""
    layer: int
    """From 1, of that unit."""
    parameters: int
    """Of the LSTM."""
    formula: str
    proj: int
    bias: bool


def words(n: Numbers) -> dict[str, tuple[str, str]]:
    """Name of a paragraph -> it in English and in Chinese, as HTML without anything from outside."""
    out = n.directions * n.state
    rows = n.layers * n.directions
    both = n.directions == 2
    return {
        "title": ("What nn.LSTM does, on a line of text", "用一行文字看懂 nn.LSTM"),
        "lead": (
            "Everything below is alive: the shapes, numbers and colours come from the LSTM of this network while it "
            "reads this line.",
            "下面的内容都是真实运行的结果：形状、数值和颜色全部来自这个网络的 LSTM 读这一行时的计算。",
        ),
        "input": (
            "What it reads: <code>input_size</code> and the sequence",
            "它读什么：<code>input_size</code> 与序列",
        ),
        "input-text": (
            f"An LSTM reads a sequence, one vector after the other. Here a CNN has turned the picture of {n.width} × "
            f"{n.height} pixels into {n.steps} columns, one for every {n.step} pixels of width, and describes each with "
            f"{n.input} numbers. So <code>seq_len</code> = T = <b>{n.steps}</b> and <code>input_size</code> = "
            f"<b>{n.input}</b>. The length belongs to the line; <code>input_size</code> belongs to the network and "
            "never changes. In a translation model a step would be a word and its vector an embedding; here it is a "
            "slice of a picture.",
            f"LSTM 读的是序列：一个向量接着一个向量。这里先由 CNN 把 {n.width} × {n.height} 像素的图片变成 {n.steps} 列，"
            f"每 {n.step} 个像素宽对应一列，每列用 {n.input} 个数来描述。因此 <code>seq_len</code> = T = <b>{n.steps}</b>，"
            f"<code>input_size</code> = <b>{n.input}</b>。序列长度由这一行决定，换一行就会变；<code>input_size</code> "
            "由网络结构决定，永远不变。在翻译模型里，一步是一个词，向量是词向量；在这里，一步是图片的一个竖条。",
        ),
        "features": (
            f"The sequence: {n.input} features (rows) of {n.steps} columns. Bright: strong.",
            f"输入序列：共 {n.steps} 列，每列 {n.input} 个特征（每行一个特征），越亮数值越大。",
        ),
        "call": ("The parameters", "构造参数"),
        "call-text": (
            "This is how the network builds its LSTM, and what each argument means here:",
            "网络就是这样创建 LSTM 的。各个参数在这里的含义：",
        ),
        "p-input": ("numbers per time step", "每个时间步输入向量的长度"),
        "p-hidden": (
            "units per layer and direction: the length of "
            + ("c, and of h before it is shortened" if n.proj else "h and c"),
            "每层每个方向的单元数，也就是 " + ("c 的长度，以及压缩之前 h 的长度" if n.proj else "h 和 c 的长度"),
        ),
        "p-layers": (
            "layers on top of each other; a layer reads the h of the one below",
            "堆叠的层数；从第二层起，每一层读的是前一层各时间步的 h",
        ),
        "p-bias": (
            "the numbers b, which each gate adds, are learned" if n.bias else "off: without the numbers b",
            "每个门都加上学到的常数 b" if n.bias else "未启用：不加常数 b",
        ),
        "p-dropout": (
            "share of the h between two layers that is set to 0 at random, in training alone",
            "训练时把层与层之间的 h 随机置零的比例；使用时不起作用",
        ),
        "p-bi": (
            "a second walk from the last column to the first, with weights of its own"
            if both
            else "off: the line is read from left to right only",
            "再从最后一列往第一列读一遍，使用另一套权重" if both else "未启用：只从左往右读",
        ),
        "p-first": (
            "off: the layout is (T, B, features)",
            "未启用：张量布局为 (T, B, 特征)",
        ),
        "p-proj": (
            "off: h is as long as c" if not n.proj else "h is shortened to so many numbers; c is not",
            "未启用：h 与 c 一样长" if not n.proj else "把 h 压缩到这么多个数，c 不变",
        ),
        "step": ("One step: three gates and a candidate", "一个时间步：三个门和一个候选值"),
        "step-text": (
            "At every column each unit has two memories: the long one, c, and the short one, h. From "
            "x<sub>t</sub>, what its layer reads at this column, and the short memory of all its units at the column "
            "before, h<sub>t−1</sub>, four numbers are computed. The "
            "<b>forget gate</b> f says how much of c stays, the <b>input gate</b> i how much is written, the "
            "<b>candidate</b> g what, and the <b>output gate</b> o how much is shown. Gates are sigmoids: 0 is shut, 1 "
            "is open. Move the slider and watch one unit.",
            "在每一列，每个单元都有两份记忆：长期记忆 c 和短期记忆 h。根据这一层在这一列读到的 x<sub>t</sub> "
            "和全部单元上一步的短期记忆 h<sub>t−1</sub> 算出四个数：<b>遗忘门</b> f 决定 c 保留多少，<b>输入门</b> i 决定写入多少，<b>候选值</b> g "
            "是要写入的内容，<b>输出门</b> o 决定对外展示多少。门都是 sigmoid 的输出：0 表示关闭，1 表示打开。拖动滑块，"
            "看一个单元怎样变化。",
        ),
        "slider": ("column t", "第 t 列"),
        "unit": (
            f"unit {n.unit} of layer {n.layer}, left to right",
            f"第 {n.layer} 层从左往右方向的第 {n.unit} 号单元",
        ),
        "memory": ("Long and short memory", "长期记忆与短期记忆"),
        "memory-text": (
            "c is changed only by a product and a sum, so it can be carried along unchanged for many columns: with f = 1 "
            "and i = 0 it stays as it is. That is why gradients survive long distances. h is what others see of it: "
            + ("gated, mixed from all units by W_hr" if n.proj else "bounded by −1 and 1, gated")
            + ", new in every column. This unit was not chosen by hand: of all units of its "
            "layer, it is the one whose forget gate closes most clearly where the network names a character.",
            "c 只经过一次乘法和一次加法，所以可以原封不动地传过很多列：当 f = 1、i = 0 时，它保持不变。梯度也因此能传得很远。"
            "h 是 c 对外展示的部分：经过输出门，"
            + ("再由 W_hr 把所有单元混合起来" if n.proj else "始终在 −1 到 1 之间")
            + "，每一列都会更新。这个单元不是手工挑选的：在这一层的所有单元里，"
            "每当网络认出一个字符，它的遗忘门关得最明显。",
        ),
        "layers": ("Layers and directions", "层与方向"),
        "layers-text": (
            f"Here {n.layers} × {n.directions} = {rows} such walks run over the line, each with {n.hidden} units and "
            "weights of its own. "
            + (
                "The backward ones start at the right, so at every column the network knows what came before and what "
                "is to come. "
                if both
                else ""
            )
            + "The maps show h of all units, aligned with the picture, sorted by how much h follows the characters.",
            f"这里共有 {n.layers} × {n.directions} = {rows} 趟这样的扫描，每趟有 {n.hidden} 个单元和自己的一套权重。"
            + ("反向的那一趟从右端开始，所以在每一列，网络既知道前面读过什么，也知道后面还有什么。" if both else "")
            + "下图是所有单元的 h，与图片按列对齐，并按 h 与字符位置的相关程度排序。",
        ),
        "out": (
            "<code>output</code>, <code>h_n</code>, <code>c_n</code>",
            "<code>output</code>、<code>h_n</code> 与 <code>c_n</code>",
        ),
        "out-text": (
            "<code>output</code> holds h of the <em>last layer</em> at <em>every</em> column"
            + (", both directions side by side" if both else "")
            + f": {out} numbers per column. <code>h_n</code> and <code>c_n</code> hold h and c of <em>every layer and "
            f"direction</em> at its <em>last step</em> only: {rows} rows, in the order of the table. A recogniser needs "
            "a decision for every column, so it uses <code>output</code>; a classifier of whole sequences would take "
            "<code>h_n</code>. c is handed on inside and appears only in <code>c_n</code>.",
            "<code>output</code> 是<em>最后一层</em>在<em>每一列</em>的 h"
            + ("，两个方向首尾拼接" if both else "")
            + f"，每列 {out} 个数。<code>h_n</code> 和 <code>c_n</code> 则是<em>每一层、每个方向</em>在其<em>最后一步</em>的 "
            f"h 和 c，共 {rows} 行，顺序见下表。文字识别要对每一列作判断，所以用 <code>output</code>；如果是对整个序列做分类，"
            "通常取 <code>h_n</code>。c 只在内部传递，只能从 <code>c_n</code> 里看到。",
        ),
        "equal": ("Which slices are the same numbers? Look:", "哪些切片是同一组数？请看："),
        "trap": (
            f"Mind: <code>output[-1]</code> is not the end of both directions. The backward walk ends at column 0, so at "
            f"the last column its half has seen one column only, and <code>output[-1, :, {n.state}:]</code> is not "
            "<code>h_n[-1]</code>."
            if both
            else "With one direction, <code>output[-1]</code> is <code>h_n[-1]</code>.",
            f"注意：<code>output[-1]</code> 并不是两个方向的终点。反向扫描在第 0 列结束，所以在最后一列，它那一半只看过一列，"
            f"<code>output[-1, :, {n.state}:]</code> 不等于 <code>h_n[-1]</code>。"
            if both
            else "只有一个方向时，<code>output[-1]</code> 就是 <code>h_n[-1]</code>。",
        ),
        "output-map": (
            f"<code>output</code>: {out} rows over {n.steps} columns; framed: the slices that equal rows of h_n.",
            f"<code>output</code>：{out} 行、{n.steps} 列；框出的切片等于 h_n 中的某一行。",
        ),
        "row": ("row", "行"),
        "which": ("layer and direction", "层与方向"),
        "ends": ("ends at column", "结束于第几列"),
        "batch": ("<code>batch_first</code>", "<code>batch_first</code>"),
        "batch-text": (
            "nn.LSTM wants (T, B, features) unless <code>batch_first=True</code>, which swaps the first two axes of input "
            "and <code>output</code>. It changes the layout, not a single number, and never the layout of "
            "<code>h_n</code> and <code>c_n</code>. Measured on this LSTM with this line:",
            "nn.LSTM 默认的布局是 (T, B, 特征)。<code>batch_first=True</code> 会交换输入和 <code>output</code> 的前两个维度。"
            "它只改变布局，不改变任何数值；<code>h_n</code> 和 <code>c_n</code> 的布局也不受影响。用这个 LSTM 和这一行实测：",
        ),
        "weights": ("Where the knowledge sits: the weights", "知识存在哪里：权重"),
        "weights-text": (
            f"The four matrices for i, f, g and o are stacked into one, in this order. So <code>weight_ih_l0</code> is "
            f"(4 × {n.hidden}, {n.input}): the first {n.hidden} rows are the input gate, the next the forget gate, then "
            "the candidate, then the output gate. <code>weight_hh</code> reads h of the step before."
            + (
                f" The second layer has <code>weight_ih_l1</code>, of {out} columns, because it reads "
                f"{'both directions of ' if both else ''}the first; names count from 0."
                if n.layers > 1
                else ""
            )
            + (" There are two biases where one would do; that is cuDNN's layout." if n.bias else ""),
            f"i、f、g、o 四个矩阵按这个顺序上下叠成一个。所以 <code>weight_ih_l0</code> 的形状是 (4 × {n.hidden}, {n.input})："
            f"前 {n.hidden} 行属于输入门，接着是遗忘门，然后是候选值，最后是输出门。<code>weight_hh</code> 读的是上一步的 h。"
            + (
                f"第二层的权重叫 <code>weight_ih_l1</code>，有 {out} 列，因为它读的是第一层"
                f"{'两个方向拼起来的输出' if both else '的输出'}；名称从 0 开始编号。"
                if n.layers > 1
                else ""
            )
            + ("偏置有两个，其实一个就够了，这是沿用 cuDNN 的布局。" if n.bias else ""),
        ),
        "weight-map": (
            "<code>weight_ih_l0</code>, the real one: orange positive, blue negative; of each small square of weights "
            "the strongest is shown.",
            "真实的 <code>weight_ih_l0</code>：橙色为正，蓝色为负；每个小方块取其中绝对值最大的权重。",
        ),
        "count": (
            f"All together <b>{n.parameters:,}</b> parameters:",
            f"参数总数 <b>{n.parameters:,}</b>：",
        ),
        "head": ("From output to text", "从 output 到文字"),
        "head-text": (
            f"A linear layer turns the {out} numbers of each column into {n.classes} scores, one per character and one "
            "for the blank. The likeliest class of each column, repeats merged and blanks dropped, is the text. "
            "<code>crnn explain line</code> shows that for any picture.",
            f"线性层把每一列的 {out} 个数变成 {n.classes} 个分数：每个字符一个，另加一个空白（blank）。取每一列最可能的类别，"
            "合并连续重复的，再去掉空白，就是识别结果。用 <code>crnn explain line</code> 可以查看任何图片的这一过程。",
        ),
        "sources": (
            "Hochreiter and Schmidhuber, “Long Short-Term Memory”, 1997; the forget gate: Gers, Schmidhuber and Cummins, "
            "“Learning to Forget”, 2000; two directions: Schuster and Paliwal, 1997. Computed step by step from their "
            "equations; output, h_n and c_n are those of torch's own nn.LSTM.",
            "参考文献：Hochreiter 与 Schmidhuber，“Long Short-Term Memory”，1997；遗忘门：Gers、Schmidhuber 与 Cummins，"
            "“Learning to Forget”，2000；双向：Schuster 与 Paliwal，1997。门和记忆按这些论文的公式逐步计算；output、h_n、c_n "
            "由 torch 的 nn.LSTM 直接给出。",
        ),
        "keys": (
            "Point at a map for its numbers; with the keyboard: Tab, then the arrow keys.",
            "将鼠标移到图上可查看数值；也可用 Tab 键选中图，再用方向键移动。",
        ),
    }
