extension RankConvention {
    /// What is known of a file of ranks by its name: the models' own code says the rest, not their files.
    package init?(fileName: String) {
        let extra = (0..<205).map { "<|extra_\($0)|>" }
        switch fileName {
        case "qwen.tiktoken":
            self.init(
                pattern: .modern(digits: 1), normalizer: .canonicalComposition,
                special: ["<|endoftext|>", "<|im_start|>", "<|im_end|>"] + extra,
                endsOfText: ["<|endoftext|>", "<|im_end|>"])
        case "hy.tiktoken":
            self.init(
                pattern: .modern(digits: 1), normalizer: .canonicalComposition,
                special: ["<|endoftext|>", "<|startoftext|>", "<|bos|>", "<|eos|>", "<|pad|>"] + extra,
                beginningOfText: "<|startoftext|>", endsOfText: ["<|endoftext|>", "<|eos|>"])
        case "360.tiktoken":
            // Runs of spaces are tokens, and two spellings of a line break are one.
            let runs = [2, 3, 4, 8]
            let lineBreaks = ["[br]", "<br>"].map {
                Normalizer.Step.replace(Array($0.utf8), with: [0x0A])
            }
            self.init(
                pattern: .modern(digits: 1), normalizer: Normalizer(steps: lineBreaks),
                special: ["<pad>", "<unk>", "<mask>", "<eod>", "<eop>"] + runs.map { "[space\($0)]" }
                    + ["<|im_start|>", "<|im_end|>"],
                spelled: Dictionary(
                    uniqueKeysWithValues: runs.map { ("[space\($0)]", String(repeating: " ", count: $0)) }),
                endsOfText: ["<eod>", "<|im_end|>"])
        case "tokenizer.model":
            // Meta's own folders: the ranks, and 256 special tokens of which these have names in every version.
            let reserved = (0..<256).map { "<|reserved_special_token_\($0)|>" }
            self.init(
                pattern: .modern(digits: 3),
                special: ["<|begin_of_text|>", "<|end_of_text|>"] + reserved[0..<2]
                    + [
                        "<|finetune_right_pad_id|>", "<|step_id|>", "<|start_header_id|>", "<|end_header_id|>",
                        "<|eom_id|>",
                        "<|eot_id|>", "<|python_tag|>",
                    ] + reserved[2..<247],
                beginningOfText: "<|begin_of_text|>", endsOfText: ["<|end_of_text|>", "<|eot_id|>", "<|eom_id|>"])
        default: return nil
        }
    }
}
