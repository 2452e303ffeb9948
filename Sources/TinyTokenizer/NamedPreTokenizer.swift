/// What the name of a pre-tokenizer in a GGUF file stands for. The file holds the name only.
package struct NamedPreTokenizer: Sendable {
    var preTokenizer: PreTokenizer
    var normalizer = Normalizer.none
    var takesWholeWords = false
    var addsBeginningOfText = false
    /// The file wants tokens in front of a text and behind it.
    var framesWholeText = false

    /// One name for each way there is, the most usual ones first.
    package static let usual = [
        "llama-bpe", "qwen2", "gpt-2", "smollm", "gpt-4o", "tekken", "chatglm-bpe", "deepseek-v3", "hunyuan",
        "seed-coder",
        "llama4", "qwen35", "spark2_5", "bloom", "falcon", "olmo", "roberta-bpe", "deepseek-r1-qwen",
    ]

    /// The names are those of llama.cpp's `llama-vocab.cpp`; each stands for what the models' own `tokenizer.json` say.
    init?(_ name: String) {
        switch name {
        case "gpt-2", "phi-2", "jina-es", "jina-de", "gigachat", "jina-v2-es", "jina-v2-de", "a.x-4.0", "mellum",
            "modern-bert", "exaone4":
            preTokenizer = PreTokenizer(steps: [.pattern(.classic)])
        case "chatglm-bpe", "glm4", "glm5":
            // Not the normal case of its tokenizer.json either, whose merges lead to every piece.
            preTokenizer = PreTokenizer(steps: [.pattern(.modern(digits: 3))])
        case "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano":
            preTokenizer = PreTokenizer(steps: [.pattern(.modern(digits: 3))])
            takesWholeWords = true
            addsBeginningOfText = true
        case "qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez":
            preTokenizer = PreTokenizer(steps: [.pattern(.modern(digits: 1))])
            // llama.cpp leaves it out, but the model was trained behind it.
            if name == "qwen2" { normalizer = .canonicalComposition }
        case "hunyuan", "stablelm2":
            preTokenizer = PreTokenizer(steps: [.pattern(.modern(digits: 1))])
        case "qwen35":
            preTokenizer = PreTokenizer(steps: [
                .pattern(SplitPattern(letters: CharacterClass.letter | CharacterClass.mark, digitLimit: 1))
            ])
        // No normalizer: llama.cpp's cases keep letters apart from their marks.
        case "seed-coder":
            preTokenizer = PreTokenizer(steps: [.pattern(SplitPattern(digitLimit: 1, symbolTail: .nothing))])
        case "gpt-4o", "llama4":
            preTokenizer = PreTokenizer(steps: [
                .pattern(
                    SplitPattern(
                        contractions: .none, casing: .withContractions, digitLimit: 3,
                        symbolTail: .lineEndsAndSlashes))
            ])
            takesWholeWords = name == "llama4"
        case "tekken":
            preTokenizer = PreTokenizer(steps: [
                .pattern(
                    SplitPattern(
                        contractions: .none, casing: .alone, digitLimit: 1, symbolTail: .lineEndsAndSlashes))
            ])
            takesWholeWords = true
            addsBeginningOfText = true
        case "deepseek-v3", "hunyuan-dense":
            preTokenizer = PreTokenizer(steps: [
                .runs(RunPattern(members: .numbers, maximum: 3)), .runs(RunPattern(members: .chinese)),
                .marked(MarkedPattern(joinsLineEnds: true)),
            ])
        case "spark2_5":
            preTokenizer = PreTokenizer(steps: [
                .runs(RunPattern(members: .numbers, maximum: 3)), .runs(RunPattern(members: .chinese)),
                .marked(MarkedPattern(joinsLineEnds: false)), .runs(RunPattern(members: .numbers, maximum: 1)),
            ])
        case "bloom", "poro-chat", "gpt3-finnish":
            preTokenizer = PreTokenizer(steps: [.runs(RunPattern(members: .betweenStops, front: .space))])
        case "falcon":
            preTokenizer = PreTokenizer(steps: [
                .punctuation(together: true), .pattern(.classic), .byteDigits(individually: false),
                .runs(RunPattern(members: .asciiDigits, minimum: 3, maximum: 3)),
            ])
        case "mpt", "olmo", "jais":
            preTokenizer = PreTokenizer(steps: [.pattern(.classic)])
            if name != "jais" { normalizer = .canonicalComposition }
        case "roberta-bpe", "jina-v1-en", "jina-v2-code":
            preTokenizer = PreTokenizer(steps: [.pattern(.classic)])
            framesWholeText = true
        case "deepseek-llm", "deepseek-coder":
            // The one lists the letters with two cases and its marks, the other asks Unicode for letters and marks.
            let isListed = name == "deepseek-llm"
            let lineEnds = RunPattern(members: .lineEnds, maximum: 1)
            let words = RunPattern(members: isListed ? .casedLetters : .letters, front: .whiteSpace)
            let marks = RunPattern(members: isListed ? .listedMarks : .punctuation, front: .whiteSpace)
            preTokenizer = PreTokenizer(
                steps: [.runs(lineEnds), .runs(words), .runs(marks)] + (isListed ? [.trailingSpace] : [])
                    + [.runs(RunPattern(members: .eastAsian)), .digits(individually: true)])
            addsBeginningOfText = true
        case "command-r":
            preTokenizer = PreTokenizer(steps: [.digits(individually: true), .pattern(.classic)])
            normalizer = .canonicalComposition
            addsBeginningOfText = true
        case "smollm", "starcoder", "refact":
            preTokenizer = PreTokenizer(steps: [.digits(individually: true), .pattern(.classic)])
        default:
            return nil
        }
    }
}
