import CTinyKernels
import Testing
import TinyLoader
import TinyTensor
import TinyTestSupport

/// Every type that is written, against what others make of the same floats (`scripts/make_quantize_fixtures.py`).
@Suite struct QuantizeTests {
    private let file: Safetensors
    private let pool = ThreadPool(threadCount: 2)

    init() throws { file = try Safetensors(path: Fixtures.path("quantize/quantize.safetensors")) }

    private func matrix(_ name: String) throws -> Matrix { try #require(file.index[name]).matrix() }

    private func bytes(_ matrix: Matrix, _ type: ElementType, importance: [Float]? = nil) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0xAA, count: matrix.rows * (type.bytes(for: matrix.columns) ?? 0))
        try bytes.withUnsafeMutableBytes {
            try matrix.convert(0..<matrix.rows, to: type, importance: importance, into: $0, pool)
        }
        return bytes
    }

    @Test(arguments: [ElementType.q8_0, .q4_0, .q4_1, .q5_0, .q5_1, .f16, .bf16]) func equalsPython(
        _ type: ElementType
    ) throws {
        let expected = Array(try #require(file.index[type.rawValue + ".bytes"]).bytes)
        let actual = try bytes(try matrix("values"), type)
        #expect(actual.count == expected.count)
        let first = zip(actual, expected).enumerated().first { $1.0 != $1.1 }?.offset
        #expect(first == nil, "\(type.rawValue), at byte \(first ?? 0)")
    }

    /// Σ (importance ·) (what comes back − weight)²
    private func error(_ type: ElementType, importance: [Float]?) throws -> Float {
        let weights = try matrix("weights")
        let bytes = try bytes(weights, type, importance: importance)
        let storage = Storage.allocate(byteCount: bytes.count) { $0.copyBytes(from: bytes) }
        let back = Matrix(type: type, rows: weights.rows, columns: weights.columns, storage: storage).floats()
        var sum = 0.0
        for (i, (a, b)) in zip(back, weights.floats()).enumerated() {
            sum += Double((a - b) * (a - b)) * Double(importance?[i % weights.columns] ?? 1)
        }
        return Float(sum)
    }

    @Test(arguments: [ElementType.q4K, .q5K, .q6K]) func errorIsNoLarger(_ type: ElementType) throws {
        let theirs = try matrix(type.rawValue + ".error").floats()[0]
        #expect(try error(type, importance: nil) <= theirs)
    }

    @Test(arguments: [ElementType.q4_0, .q4_1, .q5_0, .q5_1, .q4K, .q5K, .q6K]) func weightedErrorIsNoLarger(
        _ type: ElementType
    ) throws {
        let theirs = try matrix(type.rawValue + ".weighted").floats()[0]
        #expect(try error(type, importance: try matrix("importance").floats()) <= theirs)
    }

    @Test(arguments: [ElementType.q4_0, .q4_1, .q5_0, .q5_1, .q4K, .q5K, .q6K]) func importanceThatIsZero(
        _ type: ElementType
    ) throws {
        let plain = try error(type, importance: nil)
        let zeros = [Float](repeating: 0, count: 512)
        let bytes = try bytes(try matrix("weights"), type, importance: zeros)
        let storage = Storage.allocate(byteCount: bytes.count) { $0.copyBytes(from: bytes) }
        let back = Matrix(type: type, rows: 16, columns: 512, storage: storage).floats()
        let sum = zip(back, try matrix("weights").floats()).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        #expect(sum < 2 * plain)
    }

    @Test(arguments: ElementType.allCases.filter(\.canBeWritten)) func zerosStayZeros(_ type: ElementType) throws {
        for importance in [nil, [Float](repeating: 1, count: 512)] {
            let bytes = try bytes(
                Matrix(floats: [Float](repeating: 0, count: 512), columns: 512), type, importance: importance)
            let storage = Storage.allocate(byteCount: bytes.count) { $0.copyBytes(from: bytes) }
            let back = Matrix(type: type, rows: 1, columns: 512, storage: storage).floats()
            #expect(back.allSatisfy { $0 == 0 }, "\(type.rawValue)")
        }
    }

    @Test(arguments: ElementType.allCases.filter(\.canBeWritten), [Float.nan, .infinity, -.infinity]) func notFinite(
        _ type: ElementType, _ value: Float
    ) throws {
        var values = [Float](repeating: 0.5, count: 3 * 512)
        values[2 * 512 + 300] = value
        let fault = #expect(throws: QuantizationFault.self) {
            try bytes(Matrix(floats: values, columns: 512), type)
        }
        #expect(fault?.row == 2 && fault?.column == 300 && fault.map { !$0.value.isFinite } == true)
    }

    @Test(arguments: ElementType.allCases.filter { $0.canBeWritten && $0 != .f32 && $0 != .bf16 }) func tooLarge(
        _ type: ElementType
    ) throws {
        var values = [Float](repeating: 0.5, count: 512)
        values[300] = 1e30
        let fault = #expect(throws: QuantizationFault.self) {
            try bytes(Matrix(floats: values, columns: 512), type)
        }
        #expect(fault?.column == 300)
    }

    /// Importances beyond what single precision adds up count as none; they do not empty a block.
    @Test(arguments: ElementType.allCases.filter { $0.canBeWritten && $0.isQuantized }) func hugeImportances(
        _ type: ElementType
    ) throws {
        let values = Array(try matrix("weights").floats()[..<512])
        for huge in [Float.infinity, 3e38] {
            var (importance, block) = ([Float](repeating: 1, count: 512), [UInt8](repeating: 0, count: 2048))
            importance[7] = huge
            #expect(tk_quantize(type.kernelType, values, 512, importance, &block) == -1)
            var expanded = [Float](repeating: 0, count: 512)
            tk_expand(type.kernelType, block, 512, &expanded)
            let error = zip(values, expanded).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            #expect(error < 0.02 * values.reduce(0) { $0 + $1 * $1 }, "\(type.rawValue), \(huge)")
        }
    }

    /// No sum's order depends on the width of a vector.
    @Test(arguments: ElementType.allCases.filter(\.canBeWritten)) func everyProcessorGivesTheSame(
        _ type: ElementType
    ) throws {
        let weights = try matrix("weights").floats()
        let importance = try matrix("importance").floats()
        var (a, b) = ([UInt8](repeating: 0, count: 2048), [UInt8](repeating: 0, count: 2048))
        for row in 0..<16 {
            let values = Array(weights[row * 512..<(row + 1) * 512])
            for importance in [nil, importance] {
                #expect(tk_quantize(type.kernelType, values, 512, importance, &a) == -1)
                #expect(tk_quantize_portably(type.kernelType, values, 512, importance, &b) == -1)
                #expect(a == b, "\(type.rawValue), row \(row)")
            }
        }
    }
}
