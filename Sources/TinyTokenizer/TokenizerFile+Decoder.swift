internal import TinyJSON

extension Decoder {
    /// A file's `decoder`.
    ///
    /// - Parameter writing: how the vocabulary is written, which the decoder must know how to read.
    init(_ root: inout FileSection, writing: PieceTable.Writing) throws(TokenizerError) {
        var section = try root.section("decoder")
        if writing == .byteAlphabet {
            let type = try section.string("type")
            guard type == "ByteLevel" else {
                throw section.error("type", quoted(type), "ByteLevel, as the pre-tokenizer is")
            }
            section.ignore("add_prefix_space", "trim_offsets", "use_regex")
            try section.finish()
            self = .bytes
            return
        }
        var steps: [Step] = []
        var growth = TextGrowth()
        try Self.read(&section, into: &steps, &growth)
        self = .steps(steps)
    }

    private static func read(
        _ section: inout FileSection, into steps: inout [Step], _ growth: inout TextGrowth
    ) throws(TokenizerError) {
        let type = try section.string("type")
        if steps.contains(.fuse), type != "Strip" {
            throw section.error("type", "\(quoted(type)) behind Fuse", "Strip; others are not supported there")
        }
        switch type {
        case "Sequence":
            for var step in try section.sections("decoders") { try read(&step, into: &steps, &growth) }
        case "Replace":
            let content = Array(try section.string("content").utf8)
            var pattern = try section.section("pattern")
            let old = Array(try pattern.string("String").utf8)
            try growth.add(content.count, for: old.count, section, "content")
            steps.append(.replace(old, with: content))
            try pattern.finish()
        case "ByteFallback": steps.append(.byteFallback)
        case "Fuse": steps.append(.fuse)
        case "Strip":
            let start = try section.integer("start")
            let stop = try section.integer("stop")
            let content = Array(try section.string("content").utf8)
            guard 0...1000 ~= start, stop == 0 || 1...1000 ~= stop && !steps.contains(.fuse), !content.isEmpty else {
                throw section.error("stop", "\(start) and \(stop)", "some at the start; behind Fuse, none at the end")
            }
            steps.append(.strip(content, start: start, stop: stop))
        case "Metaspace":
            section.ignore("str_rep", "split")
            let mark = Array(try section.string("replacement").utf8)
            let addsSpace = try section.bool("add_prefix_space", default: true)
            let scheme = try section.optionalString("prepend_scheme")
            steps.append(.spaceMarks(mark, dropsFirst: scheme.map { $0 != "never" } ?? addsSpace))
        case "WordPiece":
            let prefix = Array(try section.string("prefix").utf8)
            steps.append(.wordPiece(prefix: prefix, cleansUp: try section.bool("cleanup", default: true)))
        case "BPEDecoder": steps.append(.wordEnds(Array(try section.string("suffix").utf8)))
        case let type:
            throw section.error(
                "type", quoted(type),
                "Sequence, Replace, ByteFallback, Fuse, Strip, Metaspace, WordPiece, BPEDecoder, or ByteLevel with a "
                    + "pre-tokenizer of that type; others are not supported")
        }
        try section.finish()
    }
}
