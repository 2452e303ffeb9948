import ArgumentParser
import TinyGPT

/// How the next token is chosen: what `generate` and `chat` have in common.
struct SamplingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How freely to choose: 0 takes the likeliest token, 1 goes by the model's probabilities.", valueName: "t"))
    var temperature: Float?

    @Option(help: ArgumentHelp("Choose among the k likeliest tokens; 0 for all.", valueName: "k"))
    var topK = 0

    @Option(help: ArgumentHelp("Choose among the likeliest that together have this probability.", valueName: "p"))
    var topP: Float = 1

    @Option(help: ArgumentHelp("Choose among those with this part of the likeliest one's probability.", valueName: "p"))
    var minP: Float = 0

    @Option(help: ArgumentHelp("Make tokens seen before less likely; 1 leaves them.", valueName: "r"))
    var repetitionPenalty: Float = 1

    @Option(help: ArgumentHelp("Taken off the logit of a token generated before.", valueName: "x"))
    var presencePenalty: Float = 0

    @Option(help: ArgumentHelp("Taken off the logit for each time the token was generated.", valueName: "x"))
    var frequencyPenalty: Float = 0

    @Option(help: ArgumentHelp("The same seed gives the same text.", valueName: "n"))
    var seed: UInt64?

    @Option(help: ArgumentHelp("Stop before this text; may be given several times.", valueName: "text"))
    var stop: [String] = []

    /// - Parameter temperature: for a user who gives none.
    func sampling(temperature usual: Float) -> Sampling {
        Sampling(
            temperature: temperature ?? usual, topK: topK, topP: topP, minP: minP,
            repetitionPenalty: repetitionPenalty, presencePenalty: presencePenalty,
            frequencyPenalty: frequencyPenalty, seed: seed)
    }

    func validate() throws {
        do { try sampling(temperature: 0).check() } catch { throw ValidationError("\(error)") }
    }
}
