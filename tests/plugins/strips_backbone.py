"""A backbone: each strip of 4 columns, as high as the picture, becomes one feature column."""

from torch import nn

from crnn.model.backbones import Backbone


class Strips(Backbone):
    step = 4

    def __init__(self, height, features=32):
        super().__init__()
        self.features = features
        self.conv = nn.Conv2d(1, features, (height, self.step), stride=(height, self.step))

    def forward(self, images, widths):
        return self.conv(images).relu()  # (B, D, 1, T)
