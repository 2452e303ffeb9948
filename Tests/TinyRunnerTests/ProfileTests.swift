import Testing
import TinyModels
import TinyTensor
import TinyTestSupport

@testable import TinyRunner

/// A prompt of five tokens and three decoded ones.
private func run(_ model: Model, _ profile: Profile?) throws -> [Float] {
    var decoder = model.decoder(capacity: 16)
    try decoder.attach(profile)
    var logits = try decoder.read([5, 6, 7, 8, 9]) { values($0) }
    for token in [3, 4, 5] { logits += try decoder.step(token) { values($0) } }
    return logits
}

@Suite("Profile")
struct ProfileTests {
    @Test(arguments: ["llama-default/model.Q4_0.gguf", "gpt2-default", "mixtral-default"], [1, 2])
    func partsMakeUpTheWhole(_ fixture: String, _ threads: Int) throws {
        for precision in Precision.allCases {
            let model = try openFixture(fixture, precision, threads: threads)
            let profile = try Profile(model)
            var clock = Stopwatch()
            _ = try run(model, profile)
            let outside = clock.lap()
            let report = profile.report()
            #expect(report.prompt.passes == 1 && report.decode.passes == 3)
            #expect(report.prompt.wallSeconds + report.decode.wallSeconds <= outside * 1.01)
            for section in [report.prompt, report.decode] {
                let wall = section.wallSeconds
                let sum = section.kernels.reduce(section.unexplainedSeconds) { $0 + $1.seconds }
                #expect(wall > 0 && abs(sum - wall) < 1e-9 * wall)
                // Kernels do not nest and do not count twice, or they would take longer than there was time.
                #expect(section.unexplainedSeconds >= 0)
                #expect(section.kernels.allSatisfy { $0.seconds >= 0 && $0.waitingSeconds >= 0 && $0.calls >= 0 })
                #expect(abs(section.layers.reduce(0) { $0 + $1.wallSeconds } - wall) < 1e-9 * wall)
                let layers = section.layers.count - 1
                #expect(layers >= 2 && section.layers.map(\.layer) == (0..<layers).map { $0 } + [nil])
                for layer in section.layers {
                    #expect(layer.unexplainedSeconds >= 0)
                    let sum = layer.kernels.reduce(layer.unexplainedSeconds) { $0 + $1.seconds }
                    #expect(abs(sum - layer.wallSeconds) < 1e-9 * wall)
                }
                #expect(section.threads.count == model.threads)
                for thread in section.threads {
                    #expect(thread.busySeconds <= wall * 1.01)
                    #expect(abs(thread.busySeconds + thread.idleSeconds - wall) < 0.011 * wall)
                }
                let waiting = section.kernels.first { $0.name == "waiting" }?.seconds ?? 0
                #expect(section.kernels.reduce(0) { $0 + $1.waitingSeconds } <= waiting * (1 + 1e-9))
            }
        }
    }

    /// Three layers of width 64, four query heads and two of keys, 96 hidden, 288 tokens: every product is counted, on any
    /// number of threads alike.
    @Test(arguments: [1, 2, 3], Precision.allCases) func productsAreCounted(_ threads: Int, _ precision: Precision)
        throws
    {
        let model = try openFixture("llama-default/model.Q4_0.gguf", precision, threads: threads)
        let profile = try Profile(model)
        _ = try run(model, profile)
        let report = profile.report()
        for (section, tokens, passes) in [(report.prompt, 5, 1), (report.decode, 3, 3)] {
            // Tiles take the gate's two products and what is between them as one, and leave numbers of 16 bits.
            let isFused = passes == 1 && model.compute.usesTiles
            for (inputs, outputs, each) in [(64, 64, 6), (64, 32, 6), (64, 96, 6), (96, 64, 3), (64, 288, 1)] {
                let kernel = try #require(section.kernels.first { $0.name == "matmul Q4_0 \(inputs)x\(outputs)" })
                // Logits are wanted of the last token only.
                let rows = each == 1 ? passes : tokens * each
                #expect(kernel.calls == passes * each)
                #expect(kernel.operations == Double(2 * inputs * outputs * rows))
                // 4.5 bits a weight at least, and the results.
                let least =
                    Double(passes * each * inputs * outputs) * 4.5 / 8
                    + Double((isFused && outputs == 96 ? 1 : 4) * rows * outputs)
                #expect(kernel.bytes >= least && kernel.bytes < 8 * least)
            }
            let norm = try #require(section.kernels.first { $0.name == "norm" })
            #expect(norm.calls == tokens * 6 + passes && norm.operations == Double(norm.calls * 4 * 64))
            let rotation = try #require(section.kernels.first { $0.name == "rotation" })
            #expect(rotation.operations == Double(tokens * 3 * 6 * 8 * 6))
            #expect(section.kernels.contains { $0.name == "attention scores" && $0.operations > 0 })
            let activation = section.kernels.first { $0.name == "activation" }
            #expect(activation?.operations == (isFused ? nil : Double(tokens * 3 * 96 * 5)))
        }
        // 4 · d for each query and token that it sees: five tokens see 1 to 5, then three see 6 to 8; sixteen numbers a head.
        for (section, seen) in [(report.prompt, 15), (report.decode, 21)] {
            let scores = try #require(section.kernels.first { $0.name == "attention scores" })
            #expect(scores.operations == Double(seen * 3 * 4 * 4 * 16))
        }
    }

    @Test(arguments: [1, 2], Precision.allCases) func resultsStay(_ threads: Int, _ precision: Precision) throws {
        for fixture in ["llama-default/model.Q4_0.gguf", "gemma2-default", "mixtral-default"] {
            let model = try openFixture(fixture, precision, threads: threads)
            #expect(try run(model, nil) == run(model, try Profile(model)))
        }
    }

    @Test func nothingIsRecordedUnasked() throws {
        let model = try openFixture("llama-default")
        let profile = try Profile(model)
        _ = try run(model, nil)
        #expect(profile.report().decode.wallSeconds == 0 && profile.report().prompt.kernels.isEmpty)
        var decoder = model.decoder(capacity: 8)
        try decoder.attach(profile)
        try decoder.read([3]) { _ in }
        let once = profile.report().prompt
        #expect(once.passes == 1)
        try decoder.attach(nil)
        try decoder.step(4) { _ in }
        #expect(profile.report().prompt.passes == 1 && profile.report().decode.passes == 0)
        profile.clear()
        #expect(profile.report().prompt.wallSeconds == 0 && profile.report().prompt.kernels.isEmpty)
    }

    @Test func whatIsBetweenPassesCounts() throws {
        let model = try openFixture("llama-default")
        let profile = try Profile(model)
        var decoder = model.decoder(capacity: 8)
        try decoder.attach(profile)
        let answer = try profile.measure(.decode) {
            try decoder.read([3]) { _ in }  // a section says itself what it is
            return profile.measure(Profile.Activity.sampling) { 42 }
        }
        let report = profile.report()
        #expect(answer == 42 && report.prompt.wallSeconds == 0 && report.decode.passes == 1)
        #expect(report.decode.kernels.contains { $0.name == "sampling" && $0.calls == 1 })
    }

    @Test func anotherModelsProfileIsRefused() throws {
        let (one, other) = (try openFixture("llama-default"), try openFixture("gpt2-default"))
        var decoder = one.decoder(capacity: 8)
        let profile = try Profile(other)
        #expect(throws: RunnerError.self) { try decoder.attach(profile) }
        #expect(throws: RunnerError.self) { _ = try Profile(one, events: -1) }
    }

    @Test func eventsThatFindNoRoomAreCounted() throws {
        let model = try openFixture("llama-default", threads: 2)
        let (few, many) = (try Profile(model, events: 10), try Profile(model, events: 10_000))
        _ = try run(model, few)
        _ = try run(model, many)
        #expect(few.writeTrace { _ in } > 0)
        var text = ""
        #expect(many.writeTrace { text += $0 } == 0)
        #expect(text.hasPrefix("{") && text.contains("\"layer 2\"") && text.hasSuffix("]}\n"))
        // Sums do not depend on room for events.
        #expect(few.report().decode.kernels.map(\.calls).max() == many.report().decode.kernels.map(\.calls).max())
    }

    @Test func limitsAreMeasured() throws {
        let limits = try openFixture("llama-default").compute.measureLimits(bytes: 4 << 20)
        #expect(limits.readBytesPerSecond > 1e6 && limits.operationsPerSecond > 1e6)
        #expect(limits.unit(of: .tiles) != nil && limits.unit(of: .codes) != nil && limits.unit(of: .floats) != nil)
        #expect(limits.better(of: limits).units.count == limits.units.count)
    }

    /// A million steps that wait for one another; a compiler that sees through them would leave nanoseconds.
    @Test func calibrationTakesItsTime() {
        let noise = MachineNoise()
        #expect(noise.calibrations.count == 1 && noise.calibrations[0] > 1e-4 && noise.calibrations[0] < 10)
    }

    @Test func complaintsNameTheirNumbers() {
        var noise = MachineNoise()
        noise.finish(speeds: [100, 50, 104])
        #expect(noise.complaints.contains { $0.contains("repetitions differ by 54 %") })
    }
}
