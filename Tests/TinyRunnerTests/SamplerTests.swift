import Testing
import TinyTestSupport

@testable import TinyRunner

@Suite("Sampler")
struct SamplerTests {
    private func sample(_ sampling: Sampling, _ logits: [Float], _ count: Int = 1, prompt: [Int] = []) throws -> [Int] {
        var sampler = try Sampler(sampling, prompt: prompt, vocabulary: logits.count)
        return (0..<count).map { _ in sampler.next(logits.span) }
    }

    @Test func greedyTakesTheFirstOfTheLargest() throws {
        #expect(try sample(.greedy, [1, 3, 3, 2]) == [1])
        #expect(try sample(.greedy, [-.infinity, -5, -.infinity]) == [1])
        #expect(try sample(.greedy, [.nan, 1, .nan, 2, .nan]) == [3])
        #expect(try sample(.greedy, [1, .infinity, 2, .infinity]) == [1])
        #expect(try sample(.greedy, [.nan, .nan]) == [0])
        #expect(try sample(.greedy, [-.infinity, -.infinity]) == [0])
    }

    /// Wherever it stands among lanes and behind them, and before its equals.
    @Test func greedyFindsTheLargestAnywhere() throws {
        for count in 1...70 {
            for place in 0..<count {
                var logits = (0..<count).map { -1 - Float($0 * 7 % 5) }
                for equal in stride(from: place, to: count, by: 3) { logits[equal] = -0.5 }
                if place > 0 { logits[place / 2] = .nan }
                #expect(try sample(.greedy, logits) == [place], "\(place) of \(count)")
            }
        }
    }

    @Test func seeds() throws {
        let logits = (0..<50).map { Float($0 % 7) * 0.1 }
        for sampling in [Sampling.sampled(), .sampled(topK: 20), .sampled(topP: 0.8), .sampled(minP: 0.5)] {
            func tokens(_ seed: UInt64) throws -> [Int] {
                var copy = sampling
                copy.seed = seed
                return try sample(copy, logits, 40)
            }
            #expect(try tokens(1) == tokens(1))
            #expect(try tokens(1) != tokens(2))
        }
        #expect(try sample(.sampled(), logits, 40) != sample(.sampled(), logits, 40))  // one chance in 50⁴⁰
    }

    /// Logits of probabilities 0.4, 0.3, 0.2, 0.1, in another order, and one that is impossible.
    static let logits: [Float] = [0.1, 0.4, 0.2, 0.3].map { Float(exponentialInverse($0)) } + [-.infinity, .nan]

    /// What may be drawn, and how often: relative to the rest, renormalized.
    struct Support: Sendable {
        let sampling: Sampling
        /// In proportion.
        let weights: [Double]

        init(_ weights: [Double], temperature: Float = 1, topK: Int = 0, topP: Float = 1, minP: Float = 0) {
            sampling = .sampled(temperature: temperature, topK: topK, topP: topP, minP: minP, seed: 5)
            self.weights = weights
        }
    }

    static let supports: [Support] = [
        Support([1, 4, 2, 3]), Support([0, 4, 0, 3], topK: 2), Support([0, 1, 0, 0], topK: 1),
        Support([1, 4, 2, 3], topK: 100), Support([0, 4, 0, 3], topP: 0.65), Support([0, 1, 0, 0], topP: 0.01),
        Support([0, 4, 2, 3], topP: 0.75), Support([0, 4, 0, 3], minP: 0.6), Support([0, 1, 0, 0], minP: 1),
        // top-p counts among those that top-k left: 4 of 7 is not enough for 0.6, and is for 0.44.
        Support([0, 4, 0, 3], topK: 2, topP: 0.6), Support([0, 1, 0, 0], topK: 3, topP: 0.44),
        // At temperature 1/2 the probabilities are squared; then top-p sees 16/30 and 25/30.
        Support([1, 16, 4, 9], temperature: 0.5), Support([0, 16, 0, 9], temperature: 0.5, topP: 0.6),
    ]

    @Test(arguments: supports) func support(_ support: Support) throws {
        let sampling = support.sampling
        let expected = support.weights.map { $0 / support.weights.reduce(0, +) }
        let draws = 20_000
        var counts = [Int](repeating: 0, count: Self.logits.count)
        for token in try sample(sampling, Self.logits, draws) { counts[token] += 1 }
        #expect(counts[4] == 0 && counts[5] == 0)
        for (count, p) in zip(counts, expected) {
            if p == 0 { #expect(count == 0) }
            // Five standard deviations.
            let allowed = 5 * (p * (1 - p) * Double(draws)).squareRoot()
            #expect(abs(Double(count) - p * Double(draws)) <= allowed, "\(sampling): \(counts)")
        }
    }

    /// Against the rules by the letter, on a sorted vocabulary.
    @Test func sorted() throws {
        var numbers = TinyRunner.SplitMix64(seed: 3)
        for count in [1, 2, 40, 1000] {
            for sampling: Sampling in [
                .sampled(topK: 1, seed: 7), .sampled(topK: 40, seed: 7), .sampled(topK: 999, topP: 0.9, seed: 7),
                .sampled(temperature: 0.7, topK: 50, topP: 0.95, minP: 0.05, seed: 7), .sampled(topP: 0.3, seed: 7),
                .sampled(temperature: 2, topP: 0.999, seed: 7), .sampled(minP: 0.01, seed: 7),
                .sampled(temperature: 3, topP: 0.5, minP: 1e-4, seed: 7),
                .sampled(temperature: 1e30, topK: 30, topP: 0.5, seed: 7),
                .sampled(temperature: 1e30, minP: 1, seed: 7),
            ] {
                // Steps of a quarter: many are equal.
                let logits = (0..<count).map { _ in Float((numbers.unit() * 60).rounded() / 4) }
                var random = TinyRunner.SplitMix64(seed: 7)
                let expected = (0..<20).map { _ in Self.draw(sampling, logits, random.unit()) }
                #expect(try sample(sampling, logits, 20) == expected, "\(sampling) of \(count)")
            }
        }
    }

    private static func draw(_ sampling: Sampling, _ logits: [Float], _ target: Double) -> Int {
        let largest = logits.max() ?? 0
        let weights = logits.map { Float(exponential(Double($0 - largest) / Double(sampling.temperature))) }
        var order = weights.indices.sorted { weights[$0] != weights[$1] ? weights[$0] > weights[$1] : $0 < $1 }
        if sampling.topK > 0 {
            // Logits that differ may have weights that do not.
            let likeliest = order.sorted { logits[$0] != logits[$1] ? logits[$0] > logits[$1] : $0 < $1 }
            let selected = Set(likeliest.prefix(sampling.topK))
            order = order.filter { selected.contains($0) }
        }
        let total = order.reduce(0) { $0 + Double(weights[$1]) }
        var kept: [Int] = []
        var sum = 0.0
        for token in order {
            let isEnough = sum >= Double(sampling.topP) * total || weights[token] < sampling.minP
            if !kept.isEmpty && isEnough { break }
            kept.append(token)
            sum += Double(weights[token])
        }
        var rest = target * sum
        return kept.first { token in
            rest -= Double(weights[token])
            return rest < 0
        } ?? kept.last ?? 0
    }

    @Test func extremes() throws {
        let logits: [Float] = [.nan, .infinity, 3, -.infinity]
        for sampling in [
            Sampling.sampled(seed: 1), .sampled(topK: 2, seed: 1), .sampled(topP: 0.5, minP: 0.1, seed: 1),
        ] {
            #expect(try sample(sampling, logits, 20) == Array(repeating: 1, count: 20))
            #expect(try sample(sampling, [.nan, .nan], 3) == [0, 0, 0])
            #expect(try sample(sampling, [3e38, -3e38, 3e38].map { Float($0) }, 50).allSatisfy { $0 != 1 })
            #expect(try sample(sampling, [7], 3) == [0, 0, 0])
        }
        // So cold that only the likeliest is left, and so hot that all are alike.
        let cold = Sampling.sampled(temperature: .leastNonzeroMagnitude, seed: 1)
        #expect(try sample(cold, [1, 2, 1.5], 20) == Array(repeating: 1, count: 20))
        #expect(Set(try sample(.sampled(temperature: 1e30, seed: 1), [1, 200, -300], 200)) == [0, 1, 2])
    }

    /// Keskar et al.: seen logits are divided if positive and multiplied if negative, prompt and text alike.
    @Test func repetitionPenalty() throws {
        #expect(try sample(Sampling(repetitionPenalty: 2), [4, 3, 1], 3, prompt: [0]) == [1, 0, 0])
        #expect(try sample(Sampling(repetitionPenalty: 2), [-1, -1.5, -4], 3) == [0, 1, 0])
        #expect(try sample(Sampling(repetitionPenalty: 0.5), [4, 3], 1, prompt: [1, 1]) == [1])
    }

    /// Counted in the text only: the prompt does not matter.
    @Test func presenceAndFrequency() throws {
        #expect(try sample(Sampling(presencePenalty: 1.5), [4, 3, 1], 5, prompt: [0, 1]) == [0, 1, 0, 0, 0])
        #expect(try sample(Sampling(frequencyPenalty: 0.6), [4, 3, 1], 6, prompt: [0, 1]) == [0, 0, 1, 0, 1, 0])
        #expect(try sample(Sampling(presencePenalty: -1), [4, 4.5, 1], 2) == [1, 1])
    }

    @Test(arguments: [
        Sampling(temperature: -1), Sampling(temperature: .nan), Sampling(temperature: .infinity), Sampling(topK: -1),
        Sampling(topP: 0), Sampling(topP: 1.1), Sampling(topP: .nan), Sampling(minP: -0.1), Sampling(minP: 1.1),
        Sampling(minP: .nan), Sampling(repetitionPenalty: 0), Sampling(repetitionPenalty: .infinity),
        Sampling(presencePenalty: .nan), Sampling(frequencyPenalty: .infinity),
    ]) func parameterErrors(_ sampling: Sampling) {
        #expect(throws: RunnerError.self) { _ = try Sampler(sampling, prompt: [], vocabulary: 4) }
    }
}

private func exponentialInverse(_ p: Double) -> Double { logarithm(p) }

@Suite("Candidates")
struct CandidateTests {
    @Test func likeliestFirst() {
        let logits: [Float] = [1, 4, 2, 4, 3]
        let top = Candidate.top(3, of: logits.span)
        #expect(top.map(\.token) == [1, 3, 4])
        #expect(top.map(\.logit) == [4, 4, 3])
        let all = Candidate.top(99, of: logits.span)
        #expect(all.map(\.token) == [1, 3, 4, 2, 0])
        #expect(abs(all.reduce(0) { $0 + $1.probability } - 1) < 1e-6)
        #expect(Candidate.top(0, of: logits.span).isEmpty)
    }

    @Test func noNumbers() {
        let logits: [Float] = [.nan, 5, .nan, 6, -.infinity]
        let top = Candidate.top(2, of: logits.span)
        #expect(top.map(\.token) == [3, 1])
        #expect(abs(top[0].probability - 0.7310586) < 1e-6)
        #expect(Candidate.top(9, of: logits.span).allSatisfy { $0.probability >= 0 })
    }

    @Test func infinite() {
        let logits: [Float] = [1, .infinity, 2]
        let top = Candidate.top(1, of: logits.span)
        #expect(top.map(\.token) == [1])
        #expect(top[0].probability == 1)
    }
}
