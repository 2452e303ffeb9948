import Foundation
import TinyLayers

extension ReferenceModel {
    func attention(_ spec: AttentionSpec, _ i: Int, _ x: [Vector]) -> [Vector] {
        let (d, groups) = (spec.headWidth, spec.heads / spec.keyValueHeads)
        var (q, k, v) = projections(spec, i, x)
        for t in x.indices {
            if spec.headNorm?.afterRotation == false { normalize(spec, i, &q[t], &k[t]) }
            if let rotary = spec.rotary {
                rotate(&q[t], rotary, d, position: t)
                rotate(&k[t], rotary, d, position: t)
            }
            if spec.headNorm?.afterRotation == true { normalize(spec, i, &q[t], &k[t]) }
            if let limit = spec.growsBeyond, t + 1 > limit {
                q[t] = q[t].map { $0 * log(Double(t + 1)) / log(Double(limit)) }
            }
        }
        let sinks = spec.sinks ? vector(.layer(i, .sinks, .weight), spec.heads) : nil
        let width = v[0].count / spec.keyValueHeads
        return x.indices.map { t in
            var joined: Vector = []
            let gates = spec.headGate ? linear({ .layer(i, .headGate, $0) }, x[t], spec.heads, bias: false) : nil
            for head in 0..<spec.heads {
                func part(_ row: Vector, _ head: Int, _ d: Int) -> ArraySlice<Double> { row[head * d..<(head + 1) * d] }
                let seen = reach(spec.reach, t, of: x.count)
                var scores = seen.map { s in
                    score(spec, dot(part(q[t], head, d), part(k[s], head / groups, d)))
                        + bias(spec.bias, heads: spec.heads, head: head, query: t, key: s)
                }
                if let sinks { scores.append(sinks[head]) }
                let shares = softmax(scores)
                onShares?(i, head, t, seen, shares)
                var sum = Vector(repeating: 0, count: width)
                for (n, s) in seen.enumerated() {
                    for (j, value) in part(v[s], head / groups, width).enumerated() { sum[j] += shares[n] * value }
                }
                if let gates { sum = sum.map { $0 / (1 + exp(-gates[head])) } }
                joined += sum
            }
            return linear({ .layer(i, .attentionOutput, $0) }, joined, self.spec.width, bias: spec.outputBias)
        }
    }

    private func projections(_ spec: AttentionSpec, _ i: Int, _ x: [Vector]) -> ([Vector], [Vector], [Vector]) {
        func project(_ slot: LayerSlot, _ x: [Vector], _ width: Int, bias: Bool) -> [Vector] {
            x.map { linear({ .layer(i, slot, $0) }, $0, width, bias: bias) }
        }
        let (queries, keys) = (spec.heads * spec.headWidth, spec.keyValueHeads * spec.headWidth)
        switch spec.projection {
        case .direct, .queriesOfPositions:
            var asking = x
            if case .queriesOfPositions(let rows) = spec.projection {
                let table = matrix(.layer(i, .queryPositions, .weight), rows, self.spec.width)
                asking = x.indices.map { table[$0] }
            }
            return (
                project(.query, asking, queries, bias: spec.inputBias), project(.key, x, keys, bias: spec.inputBias),
                project(.value, x, keys, bias: spec.inputBias)
            )
        case .latent(let latent):
            func narrow(_ down: LatentSlot, _ norm: LatentSlot, _ rank: Int) -> [Vector] {
                project(.latent(down), x, rank, bias: spec.inputBias).map {
                    self.norm(.rms(epsilon: latent.epsilon), $0) { .layer(i, .latent(norm), $0) }
                }
            }
            let (d, turning) = (spec.headWidth, latent.turning)
            let asking = latent.queryRank.map { narrow(.queryDown, .queryNorm, $0) } ?? x
            let q = project(.latent(.queryUp), asking, queries, bias: false)
            let c = narrow(.keyValueDown, .keyValueNorm, latent.keyValueRank)
            let still = project(.latent(.keyUp), c, spec.heads * (d - turning), bias: false)
            let turn = project(.latent(.turningKey), x, turning, bias: spec.inputBias)
            let rest = d - turning
            let k: [Vector] = x.indices.map { t in
                var row: Vector = []
                for head in 0..<spec.heads { row += turn[t] + Array(still[t][head * rest..<(head + 1) * rest]) }
                return row
            }
            return (q, k, project(.latent(.valueUp), c, spec.heads * latent.valueWidth, bias: false))
        }
    }

    private func normalize(_ spec: AttentionSpec, _ i: Int, _ q: inout Vector, _ k: inout Vector) {
        guard let norm = spec.headNorm else { return }
        func apply(_ x: Vector, _ slot: LayerSlot) -> Vector {
            let width = norm.span == .head ? spec.headWidth : x.count
            return stride(from: 0, to: x.count, by: width).flatMap { start in
                self.norm(norm.norm, Array(x[start..<start + width])) { .layer(i, slot, $0) }
            }
        }
        (q, k) = (apply(q, .queryNorm), apply(k, .keyNorm))
    }

    private func reach(_ reach: AttentionSpec.Reach, _ t: Int, of count: Int) -> Range<Int> {
        switch reach {
        case .causal: 0..<t + 1
        case .causalWindow(let tokens): max(0, t + 1 - tokens)..<t + 1
        case .everything: 0..<count
        }
    }

    private func score(_ spec: AttentionSpec, _ product: Double) -> Double {
        let score = product * Double(spec.scale)
        return spec.scoreCap.map { Double($0) * tanh(score / Double($0)) } ?? score
    }

    private func bias(_ bias: PositionBias, heads: Int, head: Int, query: Int, key: Int) -> Double {
        switch bias {
        case .none: return 0
        case .linear(let slopes): return Double(slopes[head]) * Double(key - query)
        case .roundedLinear(let slopes, let factor):
            return Double(Self.rounded(Self.rounded(slopes[head]) * Self.rounded(Float(key))) * factor)
        case .buckets(let buckets):
            let table = matrix(.model(.positionBias, .weight), buckets.rows, heads)
            let prefix = spec.tokenStem.prefix
            if query < prefix && key >= prefix { return table[buckets.prefixToText][head] }
            if query >= prefix && key < prefix { return table[buckets.textToPrefix][head] }
            return table[bucket(buckets, key - query)][head]
        }
    }

    /// To the nearest number of eight bits.
    private static func rounded(_ x: Float) -> Float {
        if x == 0 { return 0 }
        let unit = Float(sign: .plus, exponent: x.exponent - 7, significand: 1)
        return (x / unit).rounded(.toNearestOrEven) * unit
    }

    /// Raffel et al. 2019, as the paper has it: exact up to a quarter of the buckets, then by the logarithm.
    private func bucket(_ spec: BucketSpec, _ distance: Int) -> Int {
        let half = spec.buckets / 2
        let (exact, near) = (half / 2, abs(distance))
        let start = distance > 0 ? half : 0
        if near < exact { return start + near }
        let part = log(Double(near) / Double(exact)) / log(Double(spec.distance) / Double(exact))
        return start + min(half - 1, exact + Int(part * Double(half - exact)))
    }

    /// Without scaling: those are held to the reference implementation in the fixtures.
    private func rotate(_ x: inout Vector, _ rotary: RotarySpec, _ d: Int, position: Int) {
        for start in stride(from: 0, to: x.count, by: d) {
            for i in 0..<rotary.width / 2 {
                let angle = Double(position) * pow(rotary.base, -2 * Double(i) / Double(rotary.width))
                let (a, b) =
                    rotary.pairing == .halves
                    ? (start + i, start + i + rotary.width / 2) : (start + 2 * i, start + 2 * i + 1)
                (x[a], x[b]) = (x[a] * cos(angle) - x[b] * sin(angle), x[a] * sin(angle) + x[b] * cos(angle))
            }
        }
    }
}
