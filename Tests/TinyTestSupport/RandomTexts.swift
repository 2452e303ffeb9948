/// Texts of any code points, with those that tokenizers treat in some way more often than chance has them.
package struct RandomTexts {
    private var random: SplitMix64

    package init(seed: UInt64) { random = SplitMix64(seed: seed) }

    package mutating func below(_ limit: Int) -> Int { random.below(limit) }

    package mutating func next() -> String {
        var text = ""
        for _ in 0..<below(24) { text.unicodeScalars.append(scalar()) }
        return text
    }

    private mutating func scalar() -> Unicode.Scalar {
        let value =
            switch below(10) {
            case 0...2: 0x20 + below(0x5F)
            case 3: [0x0A, 0x0D, 0x09, 0x20, 0xA0, 0x3000, 0x85, 0x2028][below(8)]
            case 4: 0x80 + below(0x780)
            case 5: [0x300, 0x301, 0x327, 0x200D, 0xFE0F, 0x1F469, 0x1F3FD, 0x1100, 0x1161, 0x11A8][below(10)]
            case 6: 0x4E00 + below(0x5200)
            default: below(0x110000)
            }
        return Unicode.Scalar(UInt32(value)) ?? "\u{FFFD}"
    }
}
